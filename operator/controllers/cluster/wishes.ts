/** From a plan to what is to stand in the cluster; what is new of it goes into the queue. */
import type { DrimboxSite, PacsLink } from '../../api/types.generated.ts';
import type { GatewayPlan } from '../../plan/gateway-plan.ts';
import { type Planning, isPaused } from '../../plan/plan.ts';
import { createMemory, sameItems } from '../../plan/remembered.ts';
import type { Priority } from '../../resources/kubernetes/work-queue.ts';
import type { ResourceStatus } from '../../plan/status.ts';
import { keyOf } from '../../resources/inventory.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import type { ClusterCertificates } from './certificate-secrets.ts';
import type { ClusterDocuments } from './cluster-documents.ts';
import { authorityObject, proxyObject } from './internal-identities.ts';
import type { Observed } from './observe.ts';
import { breathe } from '../../turns.ts';
import { type RememberedPlan, memorySecret } from './site-memory.ts';
import { type DesiredSite, whitelistMaps } from './writes.ts';

/** What the queue's keys lead to: read by the writer when their turn comes, so it is always the newest. */
export interface Desired {
  readonly sites: Map<string, DesiredSite>;
  /** `KIND KEY` to what its status is to be. */
  readonly statuses: Map<string, ResourceStatus>;
  /** `NAMESPACE TRUSTSPACE` to the list's ConfigMaps. */
  readonly whitelists: Map<string, readonly ApplyObject[]>;
  /**
   * Lists whose last reader went. The cluster takes them away with their owners, but one that was written in that very moment would
   * stay: a ConfigMap may be made with owners that are gone.
   */
  readonly unread: Set<string>;
  /** Secrets of the operator itself. */
  readonly own: Map<string, ApplyObject>;
  /** Site to the words with which the cluster refused what it is made of, the last time. */
  readonly unwritten: Map<string, string>;
}

export function nothingDesired(): Desired {
  return {
    sites: new Map(),
    statuses: new Map(),
    whitelists: new Map(),
    unread: new Set(),
    own: new Map(),
    unwritten: new Map(),
  };
}

/** With which priority something is written, when the wish changed, and when all is looked at again. */
interface Asked {
  readonly changed: Priority;
  readonly unchanged: Priority;
}

export interface WishesOptions {
  /** The operator's. */
  readonly namespace: string;
  readonly desired: Desired;
  readonly documents: ClusterDocuments;
  readonly certificates: ClusterCertificates;
  /**
   * @param priority resync: it stands as it was, and is only to be looked at again
   * @param again where all is looked at again
   */
  readonly enqueue: (key: string, priority: Priority, again?: Priority) => void;
}

/** Says what is wished; returns whether anything of it is new. */
export type Wishes = (observed: Observed, planning: Planning) => Promise<boolean>;

export function createWishes(options: WishesOptions): Wishes {
  const { desired, enqueue, namespace, documents, certificates } = options;
  const memory = createMemory();
  /** Specs of each site and its links at the last look. */
  const askedLast = new Map<string, readonly unknown[]>();
  let news = false;

  const want = <T>(
    map: Map<string, T>,
    key: string,
    inputs: readonly unknown[],
    make: () => T,
    asked: Asked = { changed: 'news', unchanged: 'resync' },
  ): void => {
    const made = memory.of(key, inputs, () => ({ value: make() }));
    const name = key.slice(key.indexOf(' ') + 1);
    const changed = map.get(name) !== made.value;
    if (changed) map.set(name, made.value);
    news ||= changed;
    enqueue(key, changed ? asked.changed : 'resync', asked.unchanged);
  };

  const wantSites = async ({ seen }: Observed, planning: Planning): Promise<void> => {
    const trustSpaces = new Map(seen.inventory.trustSpaces.map((trust) => [keyOf(trust), trust]));
    const hosts = Map.groupBy(planning.plan.ingress.hosts, ({ site }) => site);
    for (const site of seen.inventory.sites) {
      await breathe();
      const key = keyOf(site);
      const identity = seen.internal.gateways.get(key)?.identity;
      if (isPaused(site) || identity === undefined) {
        askedLast.delete(key); // what comes after it was asked for
        continue;
      }
      const plan = planning.unplanned.has(key) ? undefined : planning.gatewayOf.get(key);
      const trust = trustSpaces.get(site.spec.trustSpace);
      const links = planning.accepted.linksOf.get(key) ?? [];
      const own = hosts.get(key) ?? [];
      const specs = links.map(({ spec }) => spec);
      const inputs = [site.spec, site.metadata.uid, trust?.spec, plan, identity, ...specs, ...own];
      const make = (): DesiredSite => {
        // Wished anew for another reason than its plan: the plan before is still the one before.
        const last = desired.sites.get(key);
        const same = last?.plan?.config.revision === plan?.config.revision;
        const former = same ? last?.former : last?.plan;
        return desiredSite({ site, trust, links, plan, former, identity, hosts: own });
      };
      const asked = [site.spec, ...specs];
      const byPerson = !sameItems(askedLast.get(key) ?? [], asked);
      askedLast.set(key, asked);
      // Who comes to lead has made the wish before, and nobody wrote it.
      const waits = [site, ...links].some(isUnanswered);
      want(desired.sites, `site ${key}`, inputs, make, {
        changed: byPerson ? 'fresh' : 'news',
        unchanged: waits ? 'fresh' : 'resync',
      });
    }
    for (const key of askedLast.keys()) if (!desired.sites.has(key)) askedLast.delete(key);
  };

  return async (observed, planning) => {
    news = false;
    const { seen, internal } = observed;
    const { sites } = seen.inventory;
    want(desired.own, 'own authority', [internal.state], () => authorityObject(namespace, internal.state));
    want(desired.own, 'own proxy', [internal.state], () => proxyObject(namespace, internal));
    await wantSites(observed, planning);
    for (const [name, readers] of sitesByList(sites)) {
      const [space = '', trustSpace = ''] = name.split(' ');
      const list = documents.read(`trust/${trustSpace}/whitelist.xml`);
      // Withdrawn: no ConfigMap is wished, and the writer removes those that are there.
      want(desired.whitelists, `whitelist ${name}`, [list, ...readers.map(({ metadata }) => metadata.uid)], () =>
        list === undefined ? [] : whitelistMaps(space, trustSpace, readers, list),
      );
    }
    for (const { name } of documents.pending()) enqueue(`document ${name}`, 'news');
    for (const link of certificates.waiting()) enqueue(`certificate ${link}`, 'fresh');
    for (const name of forgetGone(sites, desired)) enqueue(`whitelist ${name}`, 'news');
    memory.sweep();
    return news;
  };
}

/** Its status does not speak of the newest spec yet. */
function isUnanswered({ metadata, status }: DrimboxSite | PacsLink): boolean {
  return status?.observedGeneration !== metadata.generation;
}

interface SiteWish extends Pick<DesiredSite, 'site' | 'trust' | 'links'> {
  readonly plan: GatewayPlan | undefined;
  readonly former: Pick<GatewayPlan, 'files'> | undefined;
  readonly identity: { readonly certificatePem: string; readonly keyPem: string };
  readonly hosts: RememberedPlan['hosts'];
}

/** Without a plan of its own what was remembered stays: it is the plan before. */
function desiredSite({ plan, trust, former, identity, hosts, ...wished }: SiteWish): DesiredSite {
  // Their statuses turn, and the wish stands: it would hold those of before.
  const site = withoutStatus(wished.site);
  const links = wished.links.map(withoutStatus);
  if (plan === undefined) return { site, trust, links };
  const { config, whenDeleted } = plan;
  // Made when it is written: compressed it is twelve kilobytes of each site.
  const memory = (): ApplyObject => memorySecret(site, identity, { config, whenDeleted, hosts });
  const own = new Set(plan.files.map(({ name }) => name));
  const files = former?.files.filter(({ name }) => !own.has(name)) ?? [];
  return { site, trust, links, plan, memory, ...(files.length > 0 && { former: { files } }) };
}

function withoutStatus<T extends DrimboxSite | PacsLink>(resource: T): Omit<T, 'status'> {
  const { status: _, ...rest } = resource;
  return rest;
}

function sitesByList(sites: readonly DrimboxSite[]): ReadonlyMap<string, readonly DrimboxSite[]> {
  return Map.groupBy(sites, ({ metadata, spec }) => `${metadata.namespace} ${spec.trustSpace}`);
}

/** @returns lists that nobody reads any more, to be taken away */
function forgetGone(
  sites: readonly DrimboxSite[],
  { sites: wished, whitelists, unread, unwritten }: Desired,
): readonly string[] {
  const known = new Set(sites.map(keyOf));
  for (const key of wished.keys()) if (!known.has(key)) wished.delete(key);
  for (const key of unwritten.keys()) if (!known.has(key)) unwritten.delete(key);
  const lists = sitesByList(sites);
  const gone = [...whitelists.keys()].filter((name) => !lists.has(name));
  for (const name of gone) {
    whitelists.delete(name);
    unread.add(name);
  }
  for (const name of unread) if (lists.has(name)) unread.delete(name);
  return gone;
}
