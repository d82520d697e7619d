/** The peer of a TLS connection that this process itself ended (architecture §5.3). */
import type { TLSSocket } from 'node:tls';
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
  const commonName = onlyValue(certificate.subject, 'CN');
  const organizationalUnit = onlyValue(certificate.subject, 'OU');
  if (commonName === undefined || organizationalUnit === undefined)
    return { ok: false, detail: 'the certificate subject must have one CN and one OU' };
  return {
    ok: true,
    peer: {
      commonName,
      organizationalUnit,
      serial: certificate.serialNumber.toLowerCase(),
      issuer: certificate.issuer.replaceAll('\n', ', '),
    },
  };
}

/** Node writes one attribute a line, a multi-valued RDN joined by ` + `. */
function onlyValue(subject: string, type: string): string | undefined {
  const values = subject
    .split('\n')
    .flatMap((line) => line.split(/ \+ (?=[A-Za-z]+=)/))
    .filter((line) => line.startsWith(`${type}=`))
    .map((line) => line.slice(type.length + 1));
  return values.length === 1 ? values[0] : undefined;
}
