/**
 * The certificate of each PacsLink and kind that may go into service: from its Secret, or accepted by `drimbox certificate`. Of
 * two good ones the later issued is used; a Secret with tls.crt alone belongs to the key that was made here.
 */
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import { readCertificates, readCrls } from '../../common/pki/certificates.ts';
import type { PacsLink } from '../api/types.generated.ts';
import { siteOf } from '../plan/acceptance.ts';
import type { IdentityMaterial, Resolved, TrustObservation } from '../plan/observations.ts';
import { type Inventory, type KeyedData, keyOf, textIn } from '../resources/inventory.ts';
import type { CertificateStore } from './certificate-store.ts';
import { readIdentity } from './material.ts';
import { type ServerKind, type ServerPolicy, judgeServerCertificate } from './server-certificate.ts';

export const serverKinds: readonly ServerKind[] = ['db', 'vi'];

type Identity = Resolved<IdentityMaterial>;
type Trusted = Pick<TrustObservation, 'anchors' | 'crls'>;

/** Judges a certificate that was read; what is not ok stays as it is. */
export type IdentityJudge = (
  identity: Identity,
  wanted: { readonly kind: ServerKind; readonly fqdn: string },
  trust: Trusted | undefined,
  at: Date,
) => Promise<Identity>;

/** Key of {@link Observations.servers}. */
export function serverKey(link: string, kind: ServerKind): string {
  return `${link} ${kind}`;
}

export interface ServerIdentitiesInput {
  readonly inventory: Inventory;
  /** Name of the TrustSpace to what it refers to. */
  readonly trusts: ReadonlyMap<string, Trusted>;
  readonly store: CertificateStore;
  readonly judge: IdentityJudge;
  readonly at: Date;
}

/** @returns {@link serverKey} to the certificate, or why there is none that may be used */
export async function serverIdentities(input: ServerIdentitiesInput): Promise<ReadonlyMap<string, Identity>> {
  const { inventory, trusts } = input;
  const trustOf = new Map(inventory.sites.map((site) => [keyOf(site), trusts.get(site.spec.trustSpace)]));
  const found = new Map<string, Identity>();
  for (const link of inventory.links)
    for (const kind of serverKinds) {
      const identity = await serverIdentity(link, kind, { ...input, trust: trustOf.get(siteOf(link)) });
      found.set(serverKey(keyOf(link), kind), identity);
    }
  return found;
}

export type OneIdentityInput = Pick<ServerIdentitiesInput, 'inventory' | 'store' | 'judge' | 'at'> & {
  readonly trust: Trusted | undefined;
};

/** Of one link and kind. */
export async function serverIdentity(
  link: PacsLink,
  kind: ServerKind,
  { inventory, trust, store, judge, at }: OneIdentityInput,
): Promise<Identity> {
  const key = keyOf(link);
  const { fqdn, certificate } = link.spec[kind];
  const keys = [store.pending(key, kind)?.keyPem, store.accepted(key, kind)?.keyPem];
  const data = completed(inventory.secrets.get(`${link.metadata.namespace}/${certificate.secretName}`), keys);
  const secret = await judge(readIdentity(data), { kind, fqdn }, trust, at);
  // The answer to a request came by the Secret: from now on it is what was accepted, and the next request makes a new key.
  if (secret.ok && secret.keyPem === keys[0]) store.accept(key, kind, secret);
  const pair = store.accepted(key, kind);
  if (pair === undefined) return secret;
  const accepted = await judge(readIdentity(asSecret(pair.certificatePem, pair.keyPem)), { kind, fqdn }, trust, at);
  if (!accepted.ok) return secret.ok ? secret : accepted;
  return secret.ok && issuedAt(secret) > issuedAt(accepted) ? secret : accepted;
}

function asSecret(certificate: string, key: string): KeyedData {
  return { 'tls.crt': certificate, 'tls.key': key };
}

function completed(data: KeyedData | undefined, keys: readonly (string | undefined)[]): KeyedData | undefined {
  const certificate = data?.['tls.crt'];
  if (certificate === undefined || data?.['tls.key'] !== undefined) return data;
  const pem = textIn(certificate);
  const key = keys.find((candidate) => candidate !== undefined && isKeyOf(candidate, pem));
  return key === undefined ? data : asSecret(pem, key);
}

function isKeyOf(keyPem: string, certificatePem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false; // not readable: readIdentity says so
  }
}

function issuedAt({ certificatePem }: IdentityMaterial): number {
  return new X509Certificate(certificatePem).validFromDate.getTime();
}

const minute = 60_000;

/** Asked for every link every few seconds: the answer for the same bytes holds for a minute. */
export function identityJudge(): IdentityJudge {
  const answers = new Map<string, Identity>();
  return async (identity, wanted, trust, at) => {
    if (!identity.ok) return identity;
    const hash = createHash('sha256').update(JSON.stringify([wanted, Math.floor(at.getTime() / minute), identity]));
    if (wanted.kind === 'db') hash.update(JSON.stringify(trust ?? ''));
    const key = hash.digest('hex');
    const answer = answers.get(key) ?? (await judged(identity, wanted, trust, at));
    if (answers.size >= 4096) answers.clear();
    answers.set(key, answer);
    return answer;
  };
}

/** Judges anew each time. */
export const judged: IdentityJudge = async (identity, wanted, trust, at) => {
  if (!identity.ok) return identity;
  const policy = policyOf(wanted, trust, at);
  const refusal = 'reason' in policy ? policy : await judgeServerCertificate(identity, policy);
  return refusal === undefined ? identity : { ok: false, ...refusal };
};

/** Without CRLs in hand a certificate is judged without them, and CrlFresh of the TrustSpace says so; without anchors none is. */
function policyOf(
  wanted: { readonly kind: ServerKind; readonly fqdn: string },
  trust: Trusted | undefined,
  at: Date,
): ServerPolicy | { readonly reason: string; readonly message: string } {
  if (wanted.kind === 'vi') return { ...wanted, at, anchors: [], crls: [] };
  if (trust === undefined) return { reason: 'TrustSpaceNotFound', message: 'no TrustSpace to judge it by' };
  if (!trust.anchors.ok) return { reason: trust.anchors.reason, message: `anchors: ${trust.anchors.message}` };
  return { ...wanted, at, ...parsed(trust.anchors.pem, trust.crls.ok ? trust.crls.pem : '') };
}

type Parsed = Pick<ServerPolicy, 'anchors' | 'crls'>;

/** Every db certificate of a region is judged by the same few megabytes. */
let lately: { readonly anchors: string; readonly crls: string; readonly parsed: Parsed } | undefined;

function parsed(anchors: string, crls: string): Parsed {
  if (lately?.anchors !== anchors || lately.crls !== crls)
    lately = {
      anchors,
      crls,
      parsed: {
        anchors: readCertificates(Buffer.from(anchors)),
        crls: crls === '' ? [] : readCrls(Buffer.from(crls)),
      },
    };
  return lately.parsed;
}
