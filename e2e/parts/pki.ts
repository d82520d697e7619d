/**
 * A PKI shaped like IGC-Sante for tests and the demo: one root, one intermediate for servers (SERV_SSL), one for
 * organisations (AUTH_CLI, SIGN), and a foreign root nobody trusts. Real X.509, RSA 2048, made once per directory.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const day = 86_400_000;
const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
x509.cryptoProvider.set(crypto);

export interface Authority {
  readonly name: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
  readonly certificateFile: string;
  /** PEM and DER of the CRL as last written by `writeCrl`. */
  readonly crlFile: string;
  readonly crlDerFile: string;
  readonly revoked: Map<string, Date>;
}

export interface Issued {
  readonly commonName: string;
  readonly organizationalUnit: string;
  readonly certificate: x509.X509Certificate;
  readonly issuer: Authority;
  readonly keyPem: string;
  /** Leaf then intermediate. */
  readonly chainPem: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export type CertificateKind = 'SERV_SSL' | 'AUTH_CLI' | 'SIGN' | 'MARKET';

export interface IssueOptions {
  readonly commonName: string;
  /** Struct_IdNat; IGC-Sante puts it in OU. */
  readonly organizationalUnit: string;
  readonly kind: CertificateKind;
  /** DNS names beside the CN; `SERV_SSL` and `MARKET` always carry the CN. */
  readonly names?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly issuer?: Authority;
  /** Made anew unless given: thousands of certificates may share a few. */
  readonly keys?: CryptoKeyPair;
}

export interface Pki {
  readonly directory: string;
  readonly root: Authority;
  readonly servers: Authority;
  readonly organisations: Authority;
  /** Another PKI altogether. */
  readonly foreign: Authority;
  /** PEM bundle of root and intermediates; PEM bundle of all their CRLs. */
  readonly bundleFile: string;
  readonly crlBundleFile: string;
  issue(options: IssueOptions): Promise<Issued>;
  /** Revokes and writes the issuer's CRL and the bundle again. */
  revoke(issued: Issued): Promise<void>;
  /** Writes a CRL with its own window, e.g. an expired one. */
  writeCrl(authority: Authority, window?: { readonly thisUpdate: Date; readonly nextUpdate: Date }): Promise<void>;
}

function pem(tag: string, der: ArrayBuffer): string {
  const body = Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${tag}-----\n${body}\n-----END ${tag}-----\n`;
}

/** RSA 2048: a tenth of a second, by luck more. */
export async function newKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function serial(): string {
  const bytes = Buffer.from(crypto.getRandomValues(new Uint8Array(12)));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40; // positive, never a leading zero octet
  return bytes.toString('hex');
}

const usageOf: Readonly<
  Record<CertificateKind, { readonly usage: x509.KeyUsageFlags; readonly extended: readonly string[] }>
> = {
  SERV_SSL: {
    usage: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
    extended: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
  },
  MARKET: {
    usage: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
    extended: [x509.ExtendedKeyUsage.serverAuth],
  },
  AUTH_CLI: { usage: x509.KeyUsageFlags.digitalSignature, extended: [x509.ExtendedKeyUsage.clientAuth] },
  SIGN: { usage: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.nonRepudiation, extended: [] },
};

async function newAuthority(
  directory: string,
  name: string,
  parent: Authority | undefined,
  now: Date,
): Promise<Authority> {
  const keys = await newKeys();
  const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `C=FR, O=DRIMBOX SYNTHETIC, OU=0002 000000000, CN=${name}`,
    issuer: parent?.certificate.subject ?? `C=FR, O=DRIMBOX SYNTHETIC, OU=0002 000000000, CN=${name}`,
    notBefore: new Date(now.getTime() - day),
    notAfter: new Date(now.getTime() + 3650 * day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: (parent?.keys ?? keys).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, parent ? 0 : undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create((parent?.keys ?? keys).publicKey),
    ],
  });
  const authority: Authority = {
    name,
    certificate,
    keys,
    certificateFile: join(directory, `${slug}.pem`),
    crlFile: join(directory, `${slug}.crl.pem`),
    crlDerFile: join(directory, `${slug}.crl`),
    revoked: new Map(),
  };
  writeFileSync(authority.certificateFile, pem('CERTIFICATE', certificate.rawData));
  return authority;
}

async function crlOf(
  authority: Authority,
  window: { readonly thisUpdate: Date; readonly nextUpdate: Date },
): Promise<ArrayBuffer> {
  const crl = await x509.X509CrlGenerator.create({
    issuer: authority.certificate.subject,
    thisUpdate: window.thisUpdate,
    nextUpdate: window.nextUpdate,
    signingAlgorithm: algorithm,
    signingKey: authority.keys.privateKey,
    // With a reason: without one the generator writes an empty list of extensions, which is no DER and BoringSSL refuses.
    entries: [...authority.revoked].map(([serialNumber, revocationDate]) => ({
      serialNumber,
      revocationDate,
      reason: x509.X509CrlReason.keyCompromise,
    })),
    extensions: [await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey)],
  });
  return crl.rawData;
}

/** Makes the whole PKI under `directory`. */
export async function createPki(directory: string, now = new Date()): Promise<Pki> {
  mkdirSync(directory, { recursive: true });
  const root = await newAuthority(directory, 'AC RACINE SYNTHETIQUE', undefined, now);
  const servers = await newAuthority(directory, 'AC SYNTHETIQUE SERVEURS', root, now);
  const organisations = await newAuthority(directory, 'AC SYNTHETIQUE ORGANISATIONS', root, now);
  const foreign = await newAuthority(directory, 'AC ETRANGERE', undefined, now);
  const trusted = [root, servers, organisations];
  const bundleFile = join(directory, 'bundle.pem');
  const crlBundleFile = join(directory, 'crls.pem');
  const crls = new Map<Authority, string>();

  const writeCrl: Pki['writeCrl'] = async (authority, window) => {
    const at = window ?? { thisUpdate: new Date(Date.now() - 60_000), nextUpdate: new Date(Date.now() + 7 * day) };
    const der = await crlOf(authority, at);
    writeFileSync(authority.crlDerFile, Buffer.from(der));
    writeFileSync(authority.crlFile, pem('X509 CRL', der));
    crls.set(authority, pem('X509 CRL', der));
    writeFileSync(crlBundleFile, trusted.map((ca) => crls.get(ca) ?? '').join(''));
  };
  for (const authority of [...trusted, foreign]) await writeCrl(authority);
  writeFileSync(bundleFile, trusted.map((ca) => pem('CERTIFICATE', ca.certificate.rawData)).join(''));

  const count = { issued: 0 };
  return {
    directory,
    root,
    servers,
    organisations,
    foreign,
    bundleFile,
    crlBundleFile,
    writeCrl,
    issue: async (options) =>
      await issueCertificate(directory, options, options.issuer ?? issuerOf(options.kind), now, ++count.issued),
    async revoke(issued) {
      issued.issuer.revoked.set(issued.certificate.serialNumber, new Date(Date.now() - 60_000));
      await writeCrl(issued.issuer);
    },
  };

  function issuerOf(kind: CertificateKind): Authority {
    return kind === 'SERV_SSL' || kind === 'MARKET' ? servers : organisations;
  }
}

async function issueCertificate(
  directory: string,
  options: IssueOptions,
  issuer: Authority,
  now: Date,
  index: number,
): Promise<Issued> {
  const keys = options.keys ?? (await newKeys());
  const { usage, extended } = usageOf[options.kind];
  const server = options.kind === 'SERV_SSL' || options.kind === 'MARKET';
  const names = [...new Set([...(server ? [options.commonName] : []), ...(options.names ?? [])])];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [
      { C: ['FR'] },
      { ST: ['Paris (75)'] },
      { O: ['STRUCTURE SYNTHETIQUE'] },
      { OU: [options.organizationalUnit] },
      { CN: [options.commonName] },
    ],
    issuer: issuer.certificate.subject,
    notBefore: options.notBefore ?? new Date(now.getTime() - day),
    notAfter: options.notAfter ?? new Date(now.getTime() + 365 * day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(usage, true),
      ...(extended.length > 0 ? [new x509.ExtendedKeyUsageExtension([...extended])] : []),
      ...(names.length > 0
        ? [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))]
        : []),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
    ],
  });
  const keyPem = pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const selfSigned = issuer.certificate.subject === issuer.certificate.issuer;
  const chainPem =
    pem('CERTIFICATE', certificate.rawData) + (selfSigned ? '' : pem('CERTIFICATE', issuer.certificate.rawData));
  const slug = `${String(index).padStart(3, '0')}-${options.kind.toLowerCase()}-${options.commonName.replaceAll(/[^A-Za-z0-9.-]+/g, '-')}`;
  const certificateFile = join(directory, `${slug}.pem`);
  const keyFile = join(directory, `${slug}.key`);
  writeFileSync(certificateFile, chainPem);
  writeFileSync(keyFile, keyPem, { mode: 0o600 });
  return {
    commonName: options.commonName,
    organizationalUnit: options.organizationalUnit,
    certificate,
    issuer,
    keyPem,
    chainPem,
    certificateFile,
    keyFile,
  };
}
