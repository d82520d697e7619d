/** Who signed, and do we trust him: chain to the given authorities, dates, key usage, revocation. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { security } from './refusals.ts';

export interface Trust {
  /** @throws SoapFault naming what is wrong with it. */
  checkSigner(certificate: X509Certificate, what: string): void;
}

export function openTrust(authoritiesFile: string, crlFile: string | undefined): Trust {
  const authorities = pemBlocks(readFileSync(authoritiesFile, 'utf8'), 'CERTIFICATE').map(
    (pem) => new X509Certificate(pem),
  );
  const lists = (): readonly x509.X509Crl[] =>
    crlFile === undefined
      ? []
      : pemBlocks(readFileSync(crlFile, 'utf8'), 'X509 CRL').map((pem) => new x509.X509Crl(pem));
  const trusted = (certificate: X509Certificate, depth = 0): boolean => {
    const issuer = authorities.find((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey));
    if (issuer === undefined || depth > 4) return false;
    return issuer.checkIssued(issuer) || trusted(issuer, depth + 1);
  };
  return {
    checkSigner(certificate, what) {
      security(trusted(certificate), `${what}: the certificate does not chain to a known authority`);
      const now = new Date();
      security(certificate.validFromDate <= now && now <= certificate.validToDate, `${what}: the certificate expired`);
      const parsed = new x509.X509Certificate(certificate.raw);
      const usages = parsed.getExtension(x509.KeyUsagesExtension)?.usages ?? 0;
      security(
        (usages & x509.KeyUsageFlags.nonRepudiation) !== 0,
        `${what}: not a signature certificate (ORG SIGN), its key usage is ${usages}`,
      );
      const revoked = lists().some(
        (list) => list.issuer === parsed.issuer && list.findRevoked(parsed.serialNumber) !== null,
      );
      security(!revoked, `${what}: the certificate is revoked`);
    },
  };
}

/** Struct_IdNat of an IGC-Sante certificate: its OU. */
export function structureOf(certificate: X509Certificate): string {
  return /^OU=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
}

/** Each PEM block of a bundle. */
export function pemBlocks(pem: string, label: string): readonly string[] {
  return pem.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? [];
}
