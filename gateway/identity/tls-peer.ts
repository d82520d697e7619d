/** The peer of a TLS connection that this process itself ended (architecture §5.3). */
import type { TLSSocket } from 'node:tls';
import { peerOf } from './certificate-peer.ts';
import type { Peer } from './peer.ts';

export type TlsPeerReading =
  { readonly ok: true; readonly peer: Peer } | { readonly ok: false; readonly detail: string };

/** @param socket after `secureConnection`, of a server that asks for a certificate and lets us judge it. */
export function readTlsPeer(socket: TLSSocket): TlsPeerReading {
  if (!socket.authorized)
    return {
      ok: false,
      detail: `client certificate refused: ${String(socket.authorizationError ?? 'none was given')}`,
    };
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return { ok: false, detail: 'no client certificate' };
  const peer = peerOf(certificate);
  return peer === undefined
    ? { ok: false, detail: 'the certificate subject must have one CN and one OU' }
    : { ok: true, peer };
}
