/** What a TrustSpace refers to, read and checked. */
import { createHash } from 'node:crypto';
import type { WhitelistPolicy, WhitelistVerdict } from '../../common/whitelist/whitelist.ts';
import type { TrustSpace } from '../api/types.generated.ts';
import type { PemText, Resolved, TrustObservation } from '../plan/observations.ts';
import { siteOf } from '../plan/acceptance.ts';
import { bytesIn, type Inventory, keyOf } from '../resources/inventory.ts';
import type { DocumentStore } from '../trust/document-store.ts';
import type { Fetched, Fetcher } from '../trust/fetch.ts';
import { halfLifeMs, namedCrls } from '../trust/crl-source.ts';
import { readAnchors, readCrls, readIdentity } from '../trust/material.ts';
import { type WhitelistVerifier, keepWhitelist } from '../trust/whitelist-keeper.ts';

type DocumentSource = TrustSpace['spec']['anchors'];
type CrlSource = TrustSpace['spec']['crls']['sources'][number];

const hour = 3_600_000;

/** Any new value makes the operator fetch whitelist and CRLs at once (DB.CS.147: manual refresh). */
const refreshAnnotation = 'drimbox.dev/refresh';

function requestOf({ metadata }: TrustSpace): string | undefined {
  return metadata.annotations?.[refreshAnnotation];
}

export interface TrustOptions {
  readonly fetcher: Fetcher;
  readonly verify: WhitelistVerifier;
  /** Of a trust space, where its list is kept. */
  readonly storeOf: (trustSpace: string) => DocumentStore;
}

/** Whom this trust space believes: its anchors and CRLs, and the policy that its whitelist is verified with. */
export async function trustPolicy(
  trust: TrustSpace,
  inventory: Inventory,
  now: Date,
  fetcher: Fetcher,
): Promise<Pick<TrustObservation, 'anchors' | 'crls'> & { readonly policy: WhitelistPolicy }> {
  const { spec } = trust;
  const anchors = pem(inventory, spec.anchors);
  const crls = anchors.ok ? await crlsOf(trust, inventory, fetcher, now, anchors.pem) : anchors;
  const policy = {
    anchors: anchors.ok ? [Buffer.from(anchors.pem)] : [],
    crls: crls.ok ? [Buffer.from(crls.pem)] : [],
    requireRevocation: spec.whitelist.requireRevocation,
    signer: spec.whitelist.signer,
    at: now,
  };
  return { anchors, crls, policy };
}

export async function observeTrust(
  trust: TrustSpace,
  inventory: Inventory,
  now: Date,
  { fetcher, verify, storeOf }: TrustOptions,
): Promise<TrustObservation> {
  const { metadata, spec } = trust;
  const { anchors, crls, policy } = await trustPolicy(trust, inventory, now, fetcher);
  const { clientCertificate, trust: introspectionTrust, mode } = spec.introspection;
  const { whitelist } = spec;
  return {
    anchors,
    crls,
    dmpTrust: pem(inventory, spec.dmp.trust),
    ...(mode === 'rfc7662' && introspectionTrust !== undefined && clientCertificate !== undefined
      ? {
          introspectionTrust: pem(inventory, introspectionTrust),
          introspectionClient: readIdentity(
            inventory.secrets.get(`${clientCertificate.namespace}/${clientCertificate.name}`),
          ),
        }
      : {}),
    whitelist: await keepWhitelist({
      store: storeOf(metadata.name),
      candidate:
        whitelist.url === undefined
          ? given(inventory, whitelist.document ?? {}, now)
          : fetcher.get(whitelist.url, whitelist.refreshHours * hour, now, requestOf(trust)),
      policy,
      maximumAgeMs: whitelist.maximumAgeHours * hour,
      verify,
    }),
  };
}

function bytesOf(inventory: Inventory, source: DocumentSource): Resolved<{ readonly bytes: Buffer }> {
  if (source.inline !== undefined) return { ok: true, bytes: Buffer.from(source.inline, 'utf8') };
  const reference = source.configMap ?? source.secret;
  if (reference === undefined) return { ok: false, reason: 'SourceMissing', message: 'no source is given' };
  const kind = source.configMap === undefined ? 'Secret' : 'ConfigMap';
  const data = (source.configMap === undefined ? inventory.secrets : inventory.configMaps).get(
    `${reference.namespace}/${reference.name}`,
  );
  const bytes = data?.[reference.key];
  if (bytes !== undefined) return { ok: true, bytes: bytesIn(bytes) };
  const what = data === undefined ? 'does not exist' : `has no key ${reference.key}`;
  return {
    ok: false,
    reason: `${kind}NotFound`,
    message: `${kind} ${reference.namespace}/${reference.name} ${what}`,
  };
}

function pem(inventory: Inventory, source: DocumentSource): Resolved<PemText> {
  const read = bytesOf(inventory, source);
  return read.ok ? readAnchors(read.bytes.toString('utf8')) : read;
}

async function crlsOf(
  trust: TrustSpace,
  inventory: Inventory,
  fetcher: Fetcher,
  now: Date,
  anchorsPem: string,
): Promise<TrustObservation['crls']> {
  const { spec } = trust;
  const request = requestOf(trust);
  const blobs: Buffer[] = [];
  const sources: readonly CrlSource[] =
    spec.crls.sources.length > 0
      ? spec.crls.sources
      : namedCrls([anchorsPem, ...dbCertificates(trust, inventory)]).map((url) => ({ url }));
  if (sources.length === 0)
    return {
      ok: false,
      reason: 'CrlSourceMissing',
      message: 'spec.crls.sources is empty, and neither anchors nor db certificates name a CRL by http; give the urls',
    };
  for (const source of sources) {
    const read = crlBytes(source, inventory, fetcher, { refreshMs: spec.crls.refreshHours * hour, request }, now);
    if (!read.ok) return read;
    blobs.push(read.bytes);
  }
  return await readCrls(blobs, anchorsPem);
}

/** tls.crt of the db Secrets of this trust space: the only certificates that name the CRLs of the intermediates. */
function dbCertificates(trust: TrustSpace, { sites, links, secrets }: Inventory): string[] {
  const own = new Set(sites.filter(({ spec }) => spec.trustSpace === keyOf(trust)).map(keyOf));
  return links
    .filter((link) => own.has(siteOf(link)))
    .flatMap(({ metadata, spec }) => {
      const data = secrets.get(`${metadata.namespace}/${spec.db.certificate.secretName}`);
      return data?.['tls.crt']?.toString('utf8') ?? [];
    });
}

function crlBytes(
  source: CrlSource,
  inventory: Inventory,
  fetcher: Fetcher,
  { refreshMs, request }: { readonly refreshMs: number; readonly request: string | undefined },
  now: Date,
): Resolved<{ readonly bytes: Buffer }> {
  if (source.url === undefined) return bytesOf(inventory, source);
  const had = fetcher.get(source.url, refreshMs, now, request);
  // Known only once it is had: one that lives shorter is asked for at half its life.
  const halfLife = had.bytes === undefined ? undefined : halfLifeMs(had.bytes);
  const { bytes, error } =
    halfLife === undefined || halfLife >= refreshMs ? had : fetcher.get(source.url, halfLife, now, request);
  if (bytes !== undefined) return { ok: true, bytes: bytesIn(bytes) };
  return error === undefined
    ? { ok: false, reason: 'Fetching', message: `${source.url} is being fetched` }
    : { ok: false, reason: 'CrlUnreachable', message: error };
}

/** A list put into the resources counts as had as long as it stands there; by the hour, so that nothing is rewritten every round. */
function given(inventory: Inventory, source: DocumentSource, now: Date): Fetched {
  const read = bytesOf(inventory, source);
  return read.ok
    ? { bytes: read.bytes, fetchedAt: new Date(Math.floor(now.getTime() / hour) * hour).toISOString() }
    : { error: read.message };
}

/** Verifying takes a while and is asked every few seconds: the answer for the same bytes and policy holds for an hour. */
export function remembering(verify: WhitelistVerifier): WhitelistVerifier {
  const answers = new Map<string, WhitelistVerdict>();
  return async (xml, policy) => {
    const hash = createHash('sha256').update(xml);
    for (const part of [...policy.anchors, ...policy.crls]) hash.update('\n').update(part);
    hash.update(JSON.stringify([policy.signer, policy.requireRevocation, Math.floor(policy.at.getTime() / hour)]));
    const key = hash.digest('hex');
    const known = answers.get(key);
    if (known !== undefined) return known;
    const verdict = await verify(xml, policy);
    if (answers.size >= 32) answers.clear(); // a few trust spaces, an hour each
    answers.set(key, verdict);
    return verdict;
  };
}
