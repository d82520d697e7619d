/** Certificates and CRLs as read from PEM or DER, and the questions asked of them. Pure but for parsing. */
import { X509Certificate } from 'node:crypto';

import * as x509 from './x509.ts';

export class PkiFault extends Error {
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PkiFault';
    this.reason = reason;
  }
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g;

/** DER blocks of a PEM bundle with that label, or the bytes themselves when they are DER. */
function derBlocks(bytes: Uint8Array, label: RegExp): Buffer[] {
  const buffer = Buffer.from(bytes);
  if (buffer[0] === 0x30) return [buffer];
  const text = buffer.toString('latin1');
  return [...text.matchAll(pemBlock)]
    .filter((match) => label.test(match[1] ?? ''))
    .map((match) => Buffer.from(match[2] ?? '', 'base64'));
}

/** @throws PkiFault CertificateUnreadable, or NoCertificate when the bytes hold none. */
export function readCertificates(bytes: Uint8Array): readonly X509Certificate[] {
  const blocks = derBlocks(bytes, /^(X509 |TRUSTED )?CERTIFICATE$/);
  if (blocks.length === 0) throw new PkiFault('NoCertificate', 'no certificate in it: PEM or DER is expected');
  return blocks.map((der) => {
    try {
      return new X509Certificate(der);
    } catch (error) {
      throw new PkiFault(
        'CertificateUnreadable',
        `a certificate can't be read: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  });
}

/** @throws PkiFault CrlUnreadable, or NoCrl when the bytes hold none. */
export function readCrls(bytes: Uint8Array): readonly x509.X509Crl[] {
  const blocks = derBlocks(bytes, /^X509 CRL$/);
  if (blocks.length === 0) throw new PkiFault('NoCrl', 'no CRL in it: PEM or DER is expected');
  return blocks.map((der) => {
    try {
      return new x509.X509Crl(new Uint8Array(der));
    } catch (error) {
      throw new PkiFault(
        'CrlUnreadable',
        `a CRL can't be read: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  });
}

const parses = new WeakMap<X509Certificate, x509.X509Certificate>();

/** What node:crypto does not tell of a certificate. Read once: an authority is asked about with each certificate below it. */
export function parsed(certificate: X509Certificate): x509.X509Certificate {
  const known = parses.get(certificate);
  if (known !== undefined) return known;
  const made = new x509.X509Certificate(certificate.raw);
  parses.set(certificate, made);
  return made;
}

/** Values of one attribute of a distinguished name, in order; RDN order and multi-valued RDNs don't matter. */
export function nameValues(
  certificate: X509Certificate,
  which: 'subject' | 'issuer',
  attribute: 'CN' | 'OU' | 'O',
): readonly string[] {
  const { subjectName, issuerName } = parsed(certificate);
  return (which === 'subject' ? subjectName : issuerName).getField(attribute);
}

/** Key usage bits, or undefined when the certificate does not restrict them. */
export function keyUsage(certificate: X509Certificate): x509.KeyUsageFlags | undefined {
  return parsed(certificate).getExtension(x509.KeyUsagesExtension)?.usages;
}

/** OIDs of the extended key usage; empty when the certificate does not restrict it. */
export function extendedKeyUsage(certificate: X509Certificate): readonly string[] {
  const found = parsed(certificate).getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [];
  return found.map(String);
}

/** Bits of an RSA modulus; undefined for other keys. */
export function rsaBits(certificate: X509Certificate): number | undefined {
  return certificate.publicKey.asymmetricKeyType === 'rsa'
    ? certificate.publicKey.asymmetricKeyDetails?.modulusLength
    : undefined;
}

export function isValidAt(certificate: X509Certificate, at: Date): 'valid' | 'expired' | 'not yet valid' {
  if (at < certificate.validFromDate) return 'not yet valid';
  return at > certificate.validToDate ? 'expired' : 'valid';
}

/** Signed by that issuer, name and key. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

export function isSame(a: X509Certificate, b: X509Certificate): boolean {
  return a.raw.equals(b.raw);
}

export function toPem(label: 'CERTIFICATE' | 'X509 CRL', der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
