/**
 * The loop of a cluster: look at everything, plan, publish to the proxies, and put what differs into the queue. Every replica looks,
 * plans and publishes, so that proxies find the same on each of them; only the leader writes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DrimboxSite } from '../../api/types.generated.ts';
import type { OperatorJournal } from '../../observability/journal.ts';
import { changesBetween } from '../../observability/status-changes.ts';
import type { GatewayPlan } from '../../plan/gateway-plan.ts';
import type { IngressPlan } from '../../plan/ingress-plan.ts';
import type { Plan, Planning } from '../../plan/plan.ts';
import { isPaused, makePlan } from '../../plan/plan.ts';
import { createMemory } from '../../plan/remembered.ts';
import { type ResourceStatus, eachStatus, statusKey } from '../../plan/status.ts';
import { keyOf } from '../../resources/inventory.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import { makeRequest } from '../../trust/certificate-request.ts';
import { type ClusterCertificates, requestedKinds } from './certificate-secrets.ts';
import type { ClusterDocuments } from './cluster-documents.ts';
import { type InternalOutcome, authorityObject, proxyObject } from './internal-identities.ts';
import type { Observed, Observer } from './observe.ts';
import { pace } from './pace.ts';
import type { ClusterSettings } from './settings.ts';
import { type RememberedPlan, memorySecret, planBefore, rememberedPlan } from './site-memory.ts';
import type { Watches } from './watches.ts';
import type { Writer } from './writer.ts';
import { type DesiredSite, whitelistMaps } from './writes.ts';

/** What the queue's keys lead to: read by the writer when their turn comes, so it is always the newest. */
export interface Desired {
  readonly sites: Map<string, DesiredSite>;
  /** `KIND KEY` to what its status is to be. */
  readonly statuses: Map<string, ResourceStatus>;
  /** `NAMESPACE TRUSTSPACE` to the list's ConfigMaps. */
  readonly whitelists: Map<string, readonly ApplyObject[]>;
  /** Secrets of the operator itself. */
  readonly own: Map<string, ApplyObject>;
}

export interface ClusterReconcilerOptions {
  readonly settings: ClusterSettings;
  readonly watches: Watches;
  readonly observer: Observer;
  readonly certificates: ClusterCertificates;
  readonly documents: ClusterDocuments;
  readonly desired: Desired;
  readonly writer: Pick<Writer, 'add'>;
  readonly isLeader: () => boolean;
  /** Publishes to the proxies; settles when it is published. */
  readonly publish: (plan: IngressPlan, internal: InternalOutcome) => Promise<void>;
  readonly journal: OperatorJournal;
  readonly onStatus: (resources: readonly ResourceStatus[], error?: string) => void;
  readonly now: () => Date;
}

export interface ClusterReconciler {
  /** Asks for a round soon. */
  trigger(): void;
  /** Looks at everything again, also at what did not change: drift is put right. */
  resync(): void;
  stop(): Promise<void>;
}

/** Changes come in bursts: what comes within this is one round. */
const gatherMs = 30;
/** Longest wait between two rounds: ages and ends move by themselves. */
const periodMs = 15_000;

export function startClusterReconciler(options: ClusterReconcilerOptions): ClusterReconciler {
  const { journal, watches, desired, writer } = options;
  const planMemory = createMemory();
  const wishes = createMemory();
  const state = { stopped: false, wanted: true, resync: false };
  let wake: () => void = () => undefined;
  let before: Plan | undefined;
  let resources: readonly ResourceStatus[] = [];

  const enqueue = (key: string, news: boolean): void => {
    if (options.isLeader() && (news || state.resync)) writer.add(key, news ? 'fresh' : 'resync');
  };

  const round = async (): Promise<'applied' | 'unchanged'> => {
    await askForCertificates(options);
    const observed = await options.observer.look();
    if (observed === undefined) return 'unchanged';
    before ??= firstPlan(watches, observed);
    const planning = makePlan(observed.seen, before, planMemory);
    await options.publish(planning.plan.ingress, observed.internal);
    const news = await wish(observed, planning);
    before = planning.plan;
    planMemory.sweep();
    const former = resources;
    resources = await judge(observed, planning);
    for (const event of changesBetween(former, resources)) journal.record(event);
    return news ? 'applied' : 'unchanged';
  };

  /** Whether anything is to be written that was not before. */
  const wish = async ({ seen, internal }: Observed, planning: Planning): Promise<boolean> => {
    const breathe = pace();
    let news = false;
    const want = <T>(
      map: Map<string, T>,
      key: string,
      name: string,
      inputs: readonly unknown[],
      make: () => T,
    ): void => {
      const made = wishes.of(key, [led(options), ...inputs], () => ({ value: make() }));
      const changed = map.get(name) !== made.value;
      if (changed) map.set(name, made.value);
      news ||= changed;
      enqueue(key, changed);
    };
    const { namespace } = options.settings;
    want(desired.own, 'own authority', 'authority', [internal.state], () => authorityObject(namespace, internal.state));
    want(desired.own, 'own proxy', 'proxy', [internal.state], () => proxyObject(namespace, internal));
    const trustSpaces = new Map(seen.inventory.trustSpaces.map((trust) => [keyOf(trust), trust]));
    const hosts = Map.groupBy(planning.plan.ingress.hosts, ({ site }) => site);
    for (const site of seen.inventory.sites) {
      const key = keyOf(site);
      await breathe();
      if (isPaused(site)) continue;
      const plan = planning.unplanned.has(key) ? undefined : planning.gatewayOf.get(key);
      const trust = trustSpaces.get(site.spec.trustSpace);
      const links = planning.accepted.linksOf.get(key) ?? [];
      const identity = seen.internal.gateways.get(key)?.identity;
      if (identity === undefined) continue;
      const own = hosts.get(key) ?? [];
      const inputs = [
        site.spec,
        site.metadata.uid,
        trust?.spec,
        plan,
        identity,
        ...links.map(({ spec }) => spec),
        ...own,
      ];
      want(desired.sites, `site ${key}`, key, inputs, () =>
        desiredSite({
          site,
          trust,
          links,
          plan,
          former: desired.sites.get(key)?.plan,
          memory: { identity, hosts: own },
        }),
      );
    }
    for (const [name, sites] of sitesByList(seen.inventory.sites)) {
      const [space = '', trustSpace = ''] = name.split(' ');
      const list = options.documents.read(`trust/${trustSpace}/whitelist.xml`);
      // Withdrawn: an empty set of ConfigMaps, and those that are there are removed by the writer.
      want(desired.whitelists, `whitelist ${name}`, name, [list, ...sites.map(({ metadata }) => metadata.uid)], () =>
        list === undefined ? [] : whitelistMaps(space, trustSpace, sites, list),
      );
    }
    for (const { name } of options.documents.pending()) enqueue(`document ${name}`, true);
    for (const link of options.certificates.waiting()) enqueue(`certificate ${link}`, true);
    forgetGone(seen.inventory.sites.map(keyOf), desired);
    wishes.sweep();
    return news;
  };

  /** Statuses as they are to be; those that differ from what stands there are written. */
  const judge = async ({ seen }: Observed, planning: Planning): Promise<readonly ResourceStatus[]> => {
    const breathe = pace();
    const found: ResourceStatus[] = [];
    const there = standing(watches);
    for (const status of eachStatus(seen, planning, there)) {
      found.push(status);
      const key = statusKey(status.kind, status.key);
      const differs = !says(there.get(key), status);
      desired.statuses.set(key, status);
      if (differs) enqueue(`status ${key}`, true);
      await breathe();
    }
    const known = new Set(found.map(({ kind, key }) => statusKey(kind, key)));
    for (const key of desired.statuses.keys()) if (!known.has(key)) desired.statuses.delete(key);
    return found;
  };

  const run = async (): Promise<void> => {
    await watches.synced;
    while (!state.stopped) {
      if (!state.wanted) {
        const timer = sleep(periodMs, undefined, { ref: false });
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), timer]);
      }
      if (state.stopped) return;
      await sleep(gatherMs);
      state.wanted = false;
      const startedAt = performance.now();
      const seconds = (): number => (performance.now() - startedAt) / 1000;
      try {
        const result = await round();
        state.resync = false;
        journal.record({ name: 'RoundEnded', result, seconds: seconds() });
        options.onStatus(resources);
      } catch (error) {
        // Everything stays as it was; the next round tries again.
        const message = error instanceof Error ? error.message : String(error);
        const detail = error instanceof Error ? (error.stack ?? message) : message;
        journal.record({ name: 'RoundFailed', error: message, detail, seconds: seconds() });
        options.onStatus(resources, message);
        await sleep(1_000);
        state.wanted = true;
      }
    }
  };
  const running = run();
  const trigger = (): void => {
    state.wanted = true;
    wake();
  };
  return {
    trigger,
    resync() {
      state.resync = true;
      trigger();
    },
    async stop() {
      state.stopped = true;
      wake();
      await running;
    },
  };
}

/** As an input of what is wished: who comes to lead wishes everything anew, for the former leader may have left something undone. */
function led({ isLeader }: ClusterReconcilerOptions): boolean {
  return isLeader();
}

/** A person asked by annotation: the key is made here, once. */
async function askForCertificates({ watches, certificates, isLeader, now }: ClusterReconcilerOptions): Promise<void> {
  if (!isLeader()) return;
  const sites = new Map<string, DrimboxSite>(watches.sites.store.list().map((site) => [keyOf(site), site]));
  for (const link of watches.links.store.list())
    for (const kind of requestedKinds(link)) {
      const site = sites.get(`${link.metadata.namespace}/${link.spec.site}`);
      const key = keyOf(link);
      if (site === undefined || certificates.pending(key, kind) !== undefined) continue;
      if (certificates.accepted(key, kind) !== undefined) continue;
      const { structure } = site.spec;
      const subject = { fqdn: link.spec[kind].fqdn, organisation: structure.name, structureId: structure.id };
      certificates.keep(key, kind, await makeRequest(subject, now()));
    }
}

/** What the former leader planned: kept for sites that can't be planned now. */
function firstPlan(watches: Watches, { seen, internal }: Observed): Plan {
  const remembered = new Map<string, RememberedPlan>();
  for (const site of seen.inventory.sites) {
    const [memory] = watches.memories.store.by('site', keyOf(site));
    const plan = memory === undefined ? undefined : rememberedPlan(memory);
    if (plan !== undefined) remembered.set(keyOf(site), plan);
  }
  const { caPem, ingress } = internal.identities;
  return planBefore(remembered, [], { ...ingress, caPem });
}

interface SiteWish {
  readonly site: DrimboxSite;
  readonly trust: DesiredSite['trust'];
  readonly links: DesiredSite['links'];
  readonly plan: GatewayPlan | undefined;
  readonly former: GatewayPlan | undefined;
  readonly memory: Parameters<typeof memoryOf>[1];
}

function desiredSite({ site, trust, links, plan, former, memory }: SiteWish): DesiredSite {
  return {
    site,
    trust,
    links,
    ...(plan !== undefined && { plan }),
    ...(former !== undefined && { former }),
    // Without a plan of its own what was remembered stays: it is the plan before.
    ...(plan !== undefined && { memory: memoryOf(site, memory, plan) }),
  };
}

function memoryOf(
  site: DrimboxSite,
  {
    identity,
    hosts,
  }: {
    readonly identity: { readonly certificatePem: string; readonly keyPem: string };
    readonly hosts: RememberedPlan['hosts'];
  },
  { config, whenDeleted }: GatewayPlan,
): ApplyObject {
  return memorySecret(site, identity, { config, whenDeleted, hosts });
}

function sitesByList(sites: readonly DrimboxSite[]): ReadonlyMap<string, readonly DrimboxSite[]> {
  return Map.groupBy(sites, ({ metadata, spec }) => `${metadata.namespace} ${spec.trustSpace}`);
}

function forgetGone(sites: readonly string[], desired: Desired): void {
  const known = new Set(sites);
  for (const key of desired.sites.keys()) if (!known.has(key)) desired.sites.delete(key);
  const namespaces = new Set(sites.map((key) => key.slice(0, key.indexOf('/'))));
  for (const name of desired.whitelists.keys())
    if (!namespaces.has(name.slice(0, name.indexOf(' ')))) desired.whitelists.delete(name);
}

type Standing = Pick<ResourceStatus, 'conditions'> & Readonly<Record<string, unknown>>;

/** What stands in the cluster now. */
function standing({ trustSpaces, sites, links }: Watches): ReadonlyMap<string, Standing> {
  const found = new Map<string, Standing>();
  const all = [
    ...trustSpaces.store.list().map((one) => ['TrustSpace', one] as const),
    ...sites.store.list().map((one) => ['DrimboxSite', one] as const),
    ...links.store.list().map((one) => ['PacsLink', one] as const),
  ];
  for (const [kind, { metadata, status }] of all) {
    const conditions = (status?.conditions ?? []).map((one) => ({ observedGeneration: 0, ...one }));
    found.set(statusKey(kind, keyOf({ metadata })), { ...status, conditions });
  }
  return found;
}

/** Times of what goes on all day are not worth a write of their own. */
const idle = new Set(['lastEchoTime']);

function says(there: Standing | undefined, wanted: ResourceStatus): boolean {
  if (there === undefined || there['observedGeneration'] !== wanted.observedGeneration) return false;
  const fields = (from: Readonly<Record<string, unknown>>): string =>
    JSON.stringify(
      Object.entries(from)
        .filter(([name]) => !idle.has(name) && name !== 'conditions' && name !== 'observedGeneration')
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  return conditionsOf(there.conditions) === conditionsOf(wanted.conditions) && fields(there) === fields(wanted.fields);
}

function conditionsOf(conditions: ResourceStatus['conditions']): string {
  return JSON.stringify(
    conditions
      .map(({ type, status, reason, message, observedGeneration, lastTransitionTime }) => [
        type,
        status,
        reason,
        message,
        observedGeneration,
        Date.parse(lastTransitionTime),
      ])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  );
}
