/** Gathers all that planning may know on a cluster. What did not change is handed on as the very same object (plan/remembered.ts). */
import { clusterLayout } from '../../infrastructure/kubernetes/cluster-layout.ts';
import { internalServiceName } from '../../infrastructure/kubernetes/names.ts';
import type { Gathered, TrustObservation } from '../../plan/observations.ts';
import { type Remembered, createMemory, sameItems } from '../../plan/remembered.ts';
import { type Inventory, keyOf, textIn } from '../../resources/inventory.ts';
import type { KubeObject } from '../../resources/kubernetes/resource-kind.ts';
import { databaseReferences, namedSecrets, pendingRequests } from '../named.ts';
import { observeDatabases } from '../observe-databases.ts';
import { type TrustOptions, observeTrust } from '../observe-trust.ts';
import type { ClusterCertificates } from './certificate-secrets.ts';
import type { GatewayPoll } from './gateway-poll.ts';
import { type InternalKeeper, type InternalOutcome, authoritySecret } from './internal-identities.ts';
import type { JudgedIdentities } from './judged.ts';
import { observeGateways } from './observe-gateways.ts';
import type { Referenced } from './referenced.ts';
import type { ClusterSettings } from './settings.ts';
import type { Watches } from './watches.ts';

export interface ObserveOptions {
  readonly settings: ClusterSettings;
  readonly watches: Watches;
  readonly secrets: Referenced;
  readonly configMaps: Referenced;
  readonly trust: TrustOptions;
  /** Of the documents that trust is read from: another one means look again. */
  readonly trustVersion: () => number;
  readonly identities: JudgedIdentities;
  readonly certificates: ClusterCertificates;
  readonly internal: InternalKeeper;
  readonly poll: GatewayPoll;
  readonly isLeader: () => boolean;
  readonly now: () => Date;
}

export interface Observed {
  readonly seen: Gathered;
  /** Undefined while a follower has no authority to believe. */
  readonly internal: InternalOutcome;
}

/** Lists and CRLs get old by themselves. */
const trustAgainMs = 30_000;

export interface Observer {
  /** undefined when there is nothing to plan on yet: no leader has made the internal authority. */
  look(): Promise<Observed | undefined>;
}

export function clusterObserver(options: ObserveOptions): Observer {
  const { watches, settings } = options;
  const memory = createMemory();
  const trusts = trustLooker(options);
  const layout = clusterLayout((site) => serviceAddress(watches, site));
  return {
    async look() {
      const now = options.now();
      const named = memory.of(
        'named',
        [watches.sites.store.version, watches.links.store.version, watches.trustSpaces.store.version],
        () => references(resources(watches, memory)),
      );
      // The authority is read as any other Secret that is named.
      const wanted = memory.of(
        'wanted',
        [named],
        () => new Set([...named.secrets, `${settings.namespace}/${authoritySecret}`]),
      );
      await Promise.all([options.secrets.want(wanted), options.configMaps.want(named.configMaps)]);
      const inventory: Inventory = {
        ...resources(watches, memory),
        secrets: options.secrets.contents(),
        configMaps: options.configMaps.contents(),
      };
      const sites = memory.of('site keys', [inventory.sites], () => inventory.sites.map(keyOf));
      const authority = inventory.secrets.get(`${settings.namespace}/${authoritySecret}`)?.['state.json'];
      const internal = await options.internal.of({
        sites,
        authority: authority && textIn(authority),
        identityOf: (site) => watches.memories.store.by('site', site)[0]?.identity,
        mayMake: options.isLeader(),
        now,
      });
      if (internal === undefined) return undefined;
      const observedTrusts = await trusts(inventory, now);
      const seen: Gathered = {
        now,
        inventory,
        trusts: observedTrusts,
        servers: await options.identities.servers(inventory, observedTrusts, now),
        requests: pendingRequests(inventory.links, options.certificates),
        identities: await options.identities.identities(named.secrets, inventory.secrets),
        internal: internal.identities,
        ...(await observeGateways(inventory.sites, {
          podsOf: (site) => watches.pods.store.by('site', site),
          poll: options.poll,
          memory,
        })),
        databases: observeDatabases(inventory, memory),
        layout,
        software: settings.software,
      };
      memory.sweep();
      return { seen, internal };
    },
  };
}

/** Resources that are being deleted are gone already: what they had goes with them. */
function resources(watches: Watches, memory: Remembered): Pick<Inventory, 'trustSpaces' | 'sites' | 'links'> {
  const staying = <T extends KubeObject>(name: string, objects: readonly T[]): readonly T[] =>
    memory.of(name, [objects], () => objects.filter(({ metadata }) => metadata.deletionTimestamp === undefined));
  return {
    trustSpaces: staying('trust spaces', watches.trustSpaces.store.list()),
    sites: staying('sites', watches.sites.store.list()),
    links: staying('links', watches.links.store.list()),
  };
}

function serviceAddress(watches: Watches, site: string): string | undefined {
  const slash = site.indexOf('/');
  const key = `${site.slice(0, slash)}/${internalServiceName(site.slice(slash + 1))}`;
  const address = watches.services.store.get(key)?.spec?.clusterIP;
  return address === undefined || address === '' || address === 'None' ? undefined : address;
}

interface References {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
}

function references(resources: Pick<Inventory, 'trustSpaces' | 'sites' | 'links'>): References {
  const secrets = namedSecrets(resources);
  const databases = databaseReferences(resources.sites);
  for (const name of databases.secrets) secrets.add(name);
  const configMaps = new Set(databases.configMaps);
  for (const { spec } of resources.trustSpaces) {
    const { clientCertificate, trust } = spec.introspection;
    if (clientCertificate !== undefined) secrets.add(`${clientCertificate.namespace}/${clientCertificate.name}`);
    for (const source of [spec.anchors, spec.dmp.trust, trust, spec.whitelist.document, ...spec.crls.sources]) {
      if (source?.secret !== undefined) secrets.add(`${source.secret.namespace}/${source.secret.name}`);
      if (source?.configMap !== undefined) configMaps.add(`${source.configMap.namespace}/${source.configMap.name}`);
    }
  }
  return { secrets, configMaps };
}

/** Looks again when something it was read from changed, and now and then; equal observations are the same object. */
function trustLooker(
  options: ObserveOptions,
): (inventory: Inventory, now: Date) => Promise<ReadonlyMap<string, TrustObservation>> {
  let last: { readonly inputs: readonly unknown[]; readonly at: number } | undefined;
  let found: ReadonlyMap<string, TrustObservation> = new Map();
  return async (inventory, now) => {
    const { trustSpaces, configMaps, secrets } = inventory;
    const inputs = [trustSpaces, configMaps, secrets, options.trustVersion(), options.isLeader()];
    const recent = last !== undefined && now.getTime() - last.at < trustAgainMs;
    if (recent && last !== undefined && sameItems(last.inputs, inputs)) return found;
    const next = new Map<string, TrustObservation>();
    for (const trust of trustSpaces) {
      const observed = await observeTrust(trust, inventory, now, options.trust);
      const former = found.get(keyOf(trust));
      next.set(keyOf(trust), former === undefined ? observed : keepEqual(former, observed));
    }
    last = { inputs, at: now.getTime() };
    found = next;
    return found;
  };
}

/** The former part wherever the new one says the same. */
function keepEqual(former: TrustObservation, next: TrustObservation): TrustObservation {
  const parts = Object.entries(next).map(([name, part]) => {
    const before = former[name as keyof TrustObservation];
    return [name, JSON.stringify(before) === JSON.stringify(part) ? before : part] as const;
  });
  const merged = Object.fromEntries(parts) as unknown as TrustObservation; // the same keys with parts of the same types
  const same =
    Object.keys(former).length === parts.length &&
    parts.every(([name, part]) => former[name as keyof TrustObservation] === part);
  return same ? former : merged;
}
