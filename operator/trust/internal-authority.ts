/**
 * The internal authority of the hop from ingress to gateways (architecture §5.2): it proves to a gateway that XFCC comes from our
 * ingress, and to the ingress that it speaks to that gateway. Made and renewed here; nobody has to think of it.
 *
 * A new authority is published for a while before it signs, so that both ends believe it before they meet it.
 */
import { X509Certificate } from 'node:crypto';
import * as x509 from '../../common/pki/x509.ts';

x509.cryptoProvider.set(crypto);

const day = 86_400_000;
export const authorityLifeMs = 365 * day;
export const leafLifeMs = 30 * day;
/** From here on the next one is made: two thirds of a life. */
const renewAt = 2 / 3;
export const publishedBeforeSigningMs = 3_600_000;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

type PrivateKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Of the certificate that the ingress presents to gateways. */
export const ingressServerName = 'ingress.drimbox.internal';

/** Of the certificate that the gateway of `site` (namespace/name) presents to the ingress. */
export function gatewayServerName(site: string): string {
  return `${site.split('/').toReversed().join('.')}.gateway.drimbox.internal`;
}

export interface PemPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface InternalState {
  /** Newest first; at most those still valid. */
  readonly authorities: readonly PemPair[];
  /** DNS name to its certificate. */
  readonly leaves: Readonly<Record<string, PemPair>>;
}

export const emptyInternalState: InternalState = { authorities: [], leaves: {} };

/** PEM of every authority to believe now. */
export function internalBundle(state: InternalState): string {
  return state.authorities.map(({ certificatePem }) => certificatePem).join('');
}

/** The state with what is due made, and what nobody wants any more dropped; the same object when nothing was due. */
export async function renewInternal(state: InternalState, names: readonly string[], now: Date): Promise<InternalState> {
  const authorities = await renewAuthorities(state.authorities, now);
  const leaves: Record<string, PemPair> = {};
  for (const name of names) {
    const leaf = state.leaves[name];
    const good = leaf !== undefined && leafHoldsUntil(leaf, authorities) > now.getTime();
    leaves[name] = good ? leaf : await issueLeaf(authorities, name, now);
  }
  const same =
    authorities === state.authorities &&
    Object.keys(state.leaves).length === names.length &&
    names.every((name) => leaves[name] === state.leaves[name]);
  return same ? state : { authorities, leaves };
}

/** Newest first; the same array when none was due and none ended. */
export async function renewAuthorities(authorities: readonly PemPair[], now: Date): Promise<readonly PemPair[]> {
  const valid = authorities.filter(({ certificatePem }) => end(certificatePem) > now.getTime());
  const [newest] = valid;
  const next = newest === undefined || isDue(newest.certificatePem, now) ? [await newAuthority(now), ...valid] : valid;
  return next.length === authorities.length && next.every((one, index) => one === authorities[index])
    ? authorities
    : next;
}

/** Moment (ms since 1970) from which a leaf is to be replaced; 0 when none of the authorities issued it. Takes about 0.3 ms. */
export function leafHoldsUntil(leaf: PemPair, authorities: readonly PemPair[]): number {
  return signedByOne(leaf, authorities) ? dueAt(leaf.certificatePem) : 0;
}

/** @param name its only DNS name */
export async function issueLeaf(authorities: readonly PemPair[], name: string, now: Date): Promise<PemPair> {
  return await newLeaf(name, signerOf(authorities, now), now);
}

function start(certificatePem: string): number {
  return Date.parse(new X509Certificate(certificatePem).validFrom);
}

function end(certificatePem: string): number {
  return Date.parse(new X509Certificate(certificatePem).validTo);
}

function isDue(certificatePem: string, now: Date): boolean {
  return now.getTime() >= dueAt(certificatePem);
}

function dueAt(certificatePem: string): number {
  const from = start(certificatePem);
  return from + (end(certificatePem) - from) * renewAt;
}

/** The newest that has been published long enough; the oldest when none has. */
function signerOf(authorities: readonly PemPair[], now: Date): PemPair {
  const published = authorities.find(
    ({ certificatePem }) => start(certificatePem) + publishedBeforeSigningMs + clockSkewMs <= now.getTime(),
  );
  const signer = published ?? authorities.at(-1);
  if (signer === undefined) throw new Error('no internal authority although one was just made');
  return signer;
}

function signedByOne(leaf: PemPair, authorities: readonly PemPair[]): boolean {
  const certificate = new X509Certificate(leaf.certificatePem);
  return authorities.some((authority) => certificate.verify(new X509Certificate(authority.certificatePem).publicKey));
}

/** Clocks of two machines of a cluster may differ by this. */
const clockSkewMs = 300_000;

async function newAuthority(now: Date): Promise<PemPair> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const serialNumber = newSerial();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: `CN=drimbox internal ${serialNumber.slice(0, 8)}`,
    notBefore: new Date(now.getTime() - clockSkewMs),
    notAfter: new Date(now.getTime() + authorityLifeMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return await toPem(certificate, keys.privateKey);
}

async function newLeaf(name: string, authority: PemPair, now: Date): Promise<PemPair> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: `CN=${name}`.slice(0, 67), // a CN has at most 64 characters; the SAN is what counts
    issuer: issuer.subject,
    notBefore: new Date(now.getTime() - clockSkewMs),
    notAfter: new Date(Math.min(now.getTime() + leafLifeMs, issuer.notAfter.getTime())),
    signingKey: await privateKey(authority.keyPem),
    publicKey: keys.publicKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return await toPem(certificate, keys.privateKey);
}

function newSerial(): string {
  const bytes = Buffer.from(crypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40; // positive, no leading zero octet
  return bytes.toString('hex');
}

async function toPem(certificate: x509.X509Certificate, key: PrivateKey): Promise<PemPair> {
  const der = await crypto.subtle.exportKey('pkcs8', key);
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`,
  };
}

async function privateKey(pem: string): Promise<PrivateKey> {
  const [der] = x509.PemConverter.decode(pem);
  if (der === undefined) throw new Error('the internal authority has no private key');
  return await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}
