/** Certificates, keys and CRLs as users give them, parsed and matched before anything is built on them. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { coversAll } from '../../common/pki/crl.ts';
import * as x509 from '../../common/pki/x509.ts';
import type { IdentityMaterial, PemText, Resolved } from '../plan/observations.ts';
import { type KeyedData, textIn } from '../resources/inventory.ts';

x509.cryptoProvider.set(crypto);

type Failure = { readonly ok: false; readonly reason: string; readonly message: string };

export function fail(reason: string, message: string): Failure {
  return { ok: false, reason, message };
}

/** A Secret of type kubernetes.io/tls. */
export function readIdentity(data: KeyedData | undefined): Resolved<IdentityMaterial> {
  if (data === undefined) return fail('SecretNotFound', 'does not exist; make it, with tls.crt and tls.key');
  const [crt, key] = [data['tls.crt'], data['tls.key']];
  if (crt === undefined || key === undefined)
    return fail('SecretIncomplete', `has no ${crt === undefined ? 'tls.crt' : 'tls.key'}`);
  const chain = readCertificates(textIn(crt));
  if (!chain.ok) return fail('CertificateUnreadable', `tls.crt: ${chain.message}`);
  const [leaf] = chain.certificates;
  if (leaf === undefined) return fail('CertificateUnreadable', 'tls.crt holds no certificate');
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(textIn(key))))
      return fail('KeyMismatch', 'tls.key is not the key of the first certificate in tls.crt');
  } catch {
    // The reason OpenSSL gives may quote the key; it is left out.
    return fail('KeyUnreadable', 'tls.key is not an unencrypted PEM private key');
  }
  const ends = chain.certificates.map(({ validTo }) => Date.parse(validTo));
  return {
    ok: true,
    certificatePem: unlessSame(textIn(crt), writePem(chain.certificates)),
    keyPem: unlessSame(textIn(key), `${textIn(key).trim()}\n`),
    notAfter: new Date(Math.min(...ends)).toISOString(),
    names: namesOf(leaf).slice(), // put together: with room for more
  };
}

/** Most are in order already, and then stay the one text; else a text of its own, that is no part of another. */
function unlessSame(given: string, wanted: string): string {
  return given === wanted ? given : Buffer.from(wanted, 'utf8').toString('utf8');
}

function namesOf(leaf: X509Certificate): string[] {
  const alternative = (leaf.subjectAltName ?? '')
    .split(', ')
    .flatMap((entry) => (entry.startsWith('DNS:') ? [entry.slice(4).toLowerCase()] : []));
  const common = /^CN=(.*)$/m.exec(leaf.subject)?.[1];
  return alternative.length > 0 || common === undefined ? alternative : [common.toLowerCase()];
}

/** PEM of one certificate or more. */
export function readAnchors(text: string): Resolved<PemText> {
  const read = readCertificates(text);
  if (!read.ok) return fail('AnchorsUnreadable', read.message);
  if (read.certificates.length === 0) return fail('AnchorsEmpty', 'holds no PEM certificate');
  return { ok: true, pem: writePem(read.certificates) };
}

function readCertificates(
  text: string,
):
  | { readonly ok: true; readonly certificates: readonly X509Certificate[] }
  | { readonly ok: false; readonly message: string } {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const certificates: X509Certificate[] = [];
  for (const [index, block] of blocks.entries())
    try {
      certificates.push(new X509Certificate(block));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ok: false, message: `certificate ${index + 1} can't be read: ${why}` };
    }
  return { ok: true, certificates };
}

function writePem(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}

/**
 * CRLs, DER or PEM, against the anchors they must come from. One missing or of unknown origin refuses everybody at the proxy
 * (operator-anchors C.4), so it is found here. An ended one is let through: that everybody is refused then is the point.
 * @param blobs one entry per source, each DER or PEM with one CRL or more
 */
export async function readCrls(
  blobs: readonly Uint8Array[],
  anchorsPem: string,
): Promise<Resolved<PemText & { readonly nextUpdate: string }>> {
  const authorities = x509.PemConverter.decode(anchorsPem).map((der) => new x509.X509Certificate(der));
  const newest = new Map<x509.X509Certificate, x509.X509Crl>();
  for (const blob of blobs)
    for (const crl of parseCrls(blob)) {
      if (crl === undefined)
        return fail('CrlUnreadable', 'a source holds something that is no CRL, neither DER nor PEM');
      const issuer = await issuerOf(crl, authorities);
      if (issuer === undefined)
        return fail('CrlOfUnknownAuthority', `the CRL of ${crl.issuer} was signed by none of the anchors`);
      // a newer list of changes would hide the whole one, and with it who is revoked
      if (!coversAll(crl, false) && !coversAll(crl, true))
        return fail(
          'CrlPartial',
          `the CRL of ${crl.issuer} holds only changes, or only some certificates; give the whole one`,
        );
      if (crl.nextUpdate === undefined) return fail('CrlWithoutEnd', `the CRL of ${crl.issuer} has no nextUpdate`);
      const former = newest.get(issuer);
      if (former === undefined || former.thisUpdate < crl.thisUpdate) newest.set(issuer, crl);
    }
  const without = authorities.find((authority) => !newest.has(authority));
  if (without !== undefined)
    return fail('CrlMissing', `the anchor ${without.subject} has no CRL; everyone it issued would be refused`);
  const crls = [...newest.values()];
  const ends = crls.map(({ nextUpdate }) => nextUpdate?.getTime() ?? 0);
  return {
    ok: true,
    pem: crls.map((crl) => `${x509.PemConverter.encode(crl.rawData, 'X509 CRL')}\n`).join(''),
    nextUpdate: new Date(Math.min(...ends)).toISOString(),
  };
}

/** undefined for what can't be parsed. */
function parseCrls(blob: Uint8Array): (x509.X509Crl | undefined)[] {
  const text = Buffer.from(blob).toString('latin1');
  const ders = text.includes('-----BEGIN') ? x509.PemConverter.decode(text) : [new Uint8Array(blob).buffer];
  return ders.map((der) => {
    try {
      return new x509.X509Crl(der);
    } catch {
      return undefined; // said by the caller
    }
  });
}

async function issuerOf(
  crl: x509.X509Crl,
  authorities: readonly x509.X509Certificate[],
): Promise<x509.X509Certificate | undefined> {
  for (const authority of authorities)
    if (authority.subject === crl.issuer && (await crl.verify({ publicKey: authority }))) return authority;
  return undefined;
}
