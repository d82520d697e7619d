/** What one CRL says and of whom (RFC 5280 §5). */
import type { X509Certificate } from 'node:crypto';
import { keyUsage } from './certificates.ts';
import * as x509 from './x509.ts';

const deltaCrlIndicator = '2.5.29.27';
const issuingDistributionPoint = '2.5.29.28';

export function crlsInNameOf(issuer: X509Certificate, crls: readonly x509.X509Crl[]): readonly x509.X509Crl[] {
  const name = new x509.X509Certificate(issuer.raw).subjectName.toString();
  return crls.filter((crl) => crl.issuerName.toString() === name);
}

/** Signed by that authority, which is allowed to. */
export async function isCrlOf(crl: x509.X509Crl, issuer: X509Certificate): Promise<boolean> {
  const usage = keyUsage(issuer);
  if (usage !== undefined && (usage & x509.KeyUsageFlags.cRLSign) === 0) return false;
  const { publicKey } = new x509.X509Certificate(issuer.raw);
  return await crl.verify({ publicKey: await publicKey.export() });
}

/**
 * Whether it speaks of every such certificate of its issuer: not a delta CRL (§5.2.4), not one for users, authorities, attributes
 * or some reasons alone, nor of another issuer's (§5.2.5), and nothing critical in it that we don't know.
 */
export function coversAll(crl: x509.X509Crl, authority: boolean): boolean {
  return crl.extensions.every(({ type, critical, value }) => {
    if (type === deltaCrlIndicator) return false;
    if (type === issuingDistributionPoint)
      return scopes(new Uint8Array(value)).every((scope) => allowed(scope, authority));
    return !critical;
  });
}

function allowed(scope: number, authority: boolean): boolean {
  if (scope === 0) return true; // distributionPoint: where it is published
  if (scope === 1) return !authority; // onlyContainsUserCerts
  return scope === 2 && authority; // onlyContainsCACerts; the rest cover less than needed
}

/** Context tags of IssuingDistributionPoint, which is a SEQUENCE of them; booleans stand there only when true (DER). */
function scopes(der: Uint8Array): readonly number[] {
  const found: number[] = [];
  let at = lengthAt(der, 1).next;
  while (at < der.length) {
    found.push((der[at] ?? 0) & 0x1f);
    const { length, next } = lengthAt(der, at + 1);
    at = next + length;
  }
  return found;
}

function lengthAt(der: Uint8Array, at: number): { readonly length: number; readonly next: number } {
  const first = der[at] ?? 0;
  if (first < 0x80) return { length: first, next: at + 1 };
  const octets = der.subarray(at + 1, at + 1 + (first & 0x7f));
  return { length: octets.reduce((sum, octet) => sum * 256 + octet, 0), next: at + 1 + octets.length };
}
