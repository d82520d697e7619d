/** Envoy's words about a refused connection, as one of few labels: whoever connects chooses the words, not the labels. */

const reasons = [
  ['revoked', /revoked/i],
  // before `expired`: a CRL may be, and then the fault is ours and not the caller's
  ['crl', /CERTIFICATE_VERIFY_FAILED.*CRL/i],
  ['expired', /CERTIFICATE_VERIFY_FAILED.*(?:expired|not yet valid)/i],
  ['untrusted', /CERTIFICATE_VERIFY_FAILED/i],
  ['no_certificate', /PEER_DID_NOT_RETURN_A_CERTIFICATE/i],
  ['unknown_name', /no FQDN of this name|filter_chain_not_found/i],
  ['protocol', /VERSION|PROTOCOL|NO_SHARED|CIPHER|HTTP_REQUEST|WRONG/i],
] as const;

export type HandshakeReason = (typeof reasons)[number][0] | 'other';

export const handshakeReasons: readonly HandshakeReason[] = [...reasons.map(([reason]) => reason), 'other'];

/** @param words e.g. `TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED` */
export function handshakeReason(words: string): HandshakeReason {
  return reasons.find(([, pattern]) => pattern.test(words))?.[0] ?? 'other';
}
