/** A client certificate as the peer that both doors tell of (architecture §5.3). */
import type { X509Certificate } from 'node:crypto';
import type { Peer } from './peer.ts';

/** @returns undefined when the subject has not exactly one CN and one OU */
export function peerOf(certificate: X509Certificate): Peer | undefined {
  const commonName = onlyValue(certificate.subject, 'CN');
  const organizationalUnit = onlyValue(certificate.subject, 'OU');
  if (commonName === undefined || organizationalUnit === undefined) return undefined;
  return {
    commonName,
    organizationalUnit,
    serial: certificate.serialNumber.toLowerCase(),
    issuer: certificate.issuer.replaceAll('\n', ', '),
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
