/** Keys and certificates of every kind a signer should not have. */
import { X509CrlGenerator, X509CertificateGenerator } from '@peculiar/x509';
import * as x509 from '@peculiar/x509';
import type { Authority, Pki } from '../pki.ts';
import type { Signer } from './forge.ts';

const day = 86_400_000;
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };

export interface Subject {
  readonly commonName?: string;
  readonly organizationalUnit?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** `ec` is P-256; otherwise RSA bits. */
  readonly key?: number | 'ec';
  readonly usage?: x509.KeyUsageFlags;
  readonly extended?: readonly string[];
  /** Hash of the issuer's signature. */
  readonly hash?: 'SHA-1' | 'SHA-256';
  /** Path length when it is an authority. */
  readonly authority?: number | 'no limit';
  readonly extensions?: readonly x509.Extension[];
  readonly serial?: string;
}

export interface Made extends Signer {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

/** What issues: an authority of the PKI, something made here, or itself. */
export type Issuer = Pick<Authority, 'certificate' | 'keys'> & { readonly above?: readonly Buffer[] };

let serials = 0;

export async function make(issuer: Issuer | 'itself', subject: Subject = {}): Promise<Made> {
  const algorithm =
    subject.key === 'ec' ? { name: 'ECDSA', namedCurve: 'P-256' } : { ...rsa, modulusLength: subject.key ?? 2048 };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const name = [
    { C: ['FR'] },
    { O: ['STRUCTURE SYNTHETIQUE'] },
    { OU: [subject.organizationalUnit ?? '318751275100020'] },
    { CN: [subject.commonName ?? 'Liste Blanche DRIM-M'] },
  ];
  const { authority } = subject;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: subject.serial ?? `4d${(++serials).toString(16).padStart(6, '0')}`,
    subject: name,
    issuer: issuer === 'itself' ? name : issuer.certificate.subject,
    notBefore: subject.notBefore ?? new Date(Date.now() - day),
    notAfter: subject.notAfter ?? new Date(Date.now() + 365 * day),
    signingAlgorithm: { ...rsa, hash: subject.hash ?? 'SHA-256' },
    publicKey: keys.publicKey,
    signingKey: issuer === 'itself' ? keys.privateKey : await signingKey(issuer.keys, subject.hash ?? 'SHA-256'),
    extensions: [
      new x509.BasicConstraintsExtension(
        authority !== undefined,
        typeof authority === 'number' ? authority : undefined,
        true,
      ),
      new x509.KeyUsagesExtension(subject.usage ?? defaultUsage(authority !== undefined), true),
      ...(subject.extended === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...subject.extended])]),
      ...(subject.extensions ?? []),
    ],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    certificate,
    keys,
    keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8.replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`,
    certificates: [Buffer.from(certificate.rawData), ...(issuer === 'itself' ? [] : above(issuer))],
  };
}

function defaultUsage(authority: boolean): x509.KeyUsageFlags {
  const { KeyUsageFlags: flags } = x509;
  if (authority) return flags.keyCertSign | flags.cRLSign;
  return flags.digitalSignature | flags.nonRepudiation;
}

function above(issuer: Issuer): readonly Buffer[] {
  return [Buffer.from(issuer.certificate.rawData), ...(issuer.above ?? [])];
}

/** The same key, allowed to sign with another hash. */
async function signingKey({ privateKey }: CryptoKeyPair, hash: string): Promise<CryptoKey> {
  const { name } = privateKey.algorithm;
  if (name === 'ECDSA') return privateKey;
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', privateKey);
  return await crypto.subtle.importKey('pkcs8', pkcs8, { name, hash }, true, ['sign']);
}

/** An authority made here, with what stands above it. */
export function issuerOf(made: Made): Issuer {
  return { certificate: made.certificate, keys: made.keys, above: made.certificates.slice(1) };
}

export interface CrlWish {
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  /** Serial numbers. */
  readonly revoked?: readonly string[];
  readonly extensions?: readonly x509.Extension[];
  /** Whose name stands in it, when not the signer's. */
  readonly inNameOf?: x509.X509Certificate;
}

export async function crlOf(issuer: Issuer, wish: CrlWish = {}): Promise<Buffer> {
  const crl = await X509CrlGenerator.create({
    issuer: (wish.inNameOf ?? issuer.certificate).subject,
    thisUpdate: wish.thisUpdate ?? new Date(Date.now() - 60_000),
    nextUpdate: wish.nextUpdate ?? new Date(Date.now() + 7 * day),
    signingAlgorithm: rsa,
    signingKey: issuer.keys.privateKey,
    entries: (wish.revoked ?? []).map((serialNumber) => ({
      serialNumber,
      revocationDate: new Date(Date.now() - 120_000),
    })),
    extensions: [...(wish.extensions ?? [])],
  });
  return Buffer.from(crl.rawData);
}

/** Signer of the PKI in the form of this folder. */
export function signerOf(
  issued: { readonly certificate: x509.X509Certificate; readonly issuer: Authority; readonly keyPem: string },
  pki: Pki,
): Signer {
  return {
    keyPem: issued.keyPem,
    certificates: [issued.certificate, issued.issuer.certificate, pki.root.certificate].map(({ rawData }) =>
      Buffer.from(rawData),
    ),
  };
}
