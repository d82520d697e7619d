/** x-forwarded-client-cert as our ingress writes it (SANITIZE_SET): one element, or the call is refused (architecture §5.2). */
import { X509Certificate } from 'node:crypto';
import { peerOf } from './certificate-peer.ts';
import { parseRfc2253, singleValue } from './distinguished-name.ts';
import type { Peer } from './peer.ts';

export type XfccReading = { readonly ok: true; readonly peer: Peer } | { readonly ok: false; readonly detail: string };

const pair = /\s*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^;,"]*))\s*(;|,|$)/gy;

/** @param header every value of the header, as received. */
export function readXfcc(header: string | readonly string[] | undefined): XfccReading {
  if (header === undefined || header === '' || typeof header !== 'string')
    return refused('expected exactly one x-forwarded-client-cert header');
  const fields = new Map<string, string>();
  pair.lastIndex = 0;
  while (pair.lastIndex < header.length) {
    const match = pair.exec(header);
    if (!match) return refused(`x-forwarded-client-cert can't be read at character ${pair.lastIndex + 1}`);
    if (match[4] === ',')
      return refused('x-forwarded-client-cert holds more than one certificate: a proxy added to it');
    const key = (match[1] ?? '').toLowerCase();
    // the subject is RFC 2253 text, whose own escapes protect the quotes: nothing more to undo here
    const value = match[2] ?? match[3] ?? '';
    if (key === 'uri' || key === 'dns') continue; // may stand several times; not used
    if (fields.has(key)) return refused(`x-forwarded-client-cert says ${key} twice`);
    fields.set(key, value);
  }
  return toPeer(fields);
}

/** A certificate of RSA 4096 with its extensions takes 3 kB as URL-encoded PEM. */
const maxCertificate = 12_288;

/** From the certificate itself when the ingress sends it, so that serial and issuer are known; else from its subject. */
function toPeer(fields: ReadonlyMap<string, string>): XfccReading {
  const encoded = fields.get('cert');
  if (encoded !== undefined) return fromCertificate(encoded, fields.get('hash') ?? '');
  const subject = parseRfc2253(fields.get('subject') ?? '');
  const commonName = subject && singleValue(subject, 'CN');
  const organizationalUnit = subject && singleValue(subject, 'OU');
  if (commonName === undefined || organizationalUnit === undefined)
    return refused('the certificate subject must have one CN and one OU');
  return {
    ok: true,
    peer: { commonName, organizationalUnit, serial: fields.get('serial') ?? '', issuer: fields.get('issuer') ?? '' },
  };
}

function fromCertificate(encoded: string, hash: string): XfccReading {
  if (encoded.length > maxCertificate)
    return refused(`x-forwarded-client-cert holds more than ${maxCertificate} bytes of certificate`);
  let certificate;
  try {
    certificate = new X509Certificate(decodeURIComponent(encoded));
  } catch (error) {
    return refused(`the certificate in x-forwarded-client-cert can't be read: ${String(error)}`);
  }
  if (certificate.fingerprint256.replaceAll(':', '').toLowerCase() !== hash.toLowerCase())
    return refused('the hash in x-forwarded-client-cert is not that of its certificate');
  const peer = peerOf(certificate);
  return peer === undefined ? refused('the certificate subject must have one CN and one OU') : { ok: true, peer };
}

function refused(detail: string): XfccReading {
  return { ok: false, detail };
}
