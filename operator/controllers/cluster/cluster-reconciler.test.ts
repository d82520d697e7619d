/** Rounds with a proxy that takes its time: what is said of a link that changes, and when. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withoutSpans } from '../../observability/tracing.ts';
import type { IngressPlan } from '../../plan/ingress-plan.ts';
import type { IngressObservation } from '../../plan/observations.ts';
import { golden, inventory, observe } from '../../plan/observed.testing.ts';
import type { ResourceStatus } from '../../plan/status.ts';
import { keyOf } from '../../resources/inventory.ts';
import { until } from '../../resources/kubernetes/fake-apiserver.testing.ts';
import type { KubeObject } from '../../resources/kubernetes/resource-kind.ts';
import { type WritableStore, createStore } from '../../resources/kubernetes/store.ts';
import { clusterCertificates } from './certificate-secrets.ts';
import { clusterDocuments } from './cluster-documents.ts';
import { type ClusterReconciler, startClusterReconciler } from './cluster-reconciler.ts';
import { internalKeeper } from './internal-identities.ts';
import { createPlanShelf } from './site-memory.ts';
import type { DataObject, LinkObject, SiteObject, TrustSpaceObject, Watches } from './watches.ts';
import { nothingDesired } from './wishes.ts';

interface World {
  readonly reconciler: ClusterReconciler;
  /** Rounds that ended well. */
  rounds(): number;
  /** Each status of a link as it was written since all were served, oldest first. */
  readonly written: ResourceStatus[];
  /** The proxy takes what is published. */
  acknowledge(): void;
  /** Whether it does so at once from now on. */
  prompt: boolean;
  changeLimits(link: string): void;
}

const changed = 'group/pacs1';

function put<T extends KubeObject>(objects: readonly T[]): WritableStore<T> {
  const store = createStore<T>({ site: () => [] });
  for (const object of objects) store.put(object);
  return store;
}

async function open(): Promise<World> {
  const given = inventory(golden('two-sites').slice(1));
  // As the API server would give them.
  const trustSpaces = put(given.trustSpaces as readonly TrustSpaceObject[]);
  const sites = put(given.sites as readonly SiteObject[]);
  const links = put(given.links as readonly LinkObject[]);
  const identities = internalKeeper();
  const certificates = clusterCertificates(put<DataObject>([]), () => undefined);
  const documents = clusterDocuments(
    'system',
    put<DataObject>([]),
    () => true,
    () => undefined,
  );
  const watches = {
    trustSpaces: { store: trustSpaces },
    sites: { store: sites },
    links: { store: links },
    memories: { store: put<DataObject>([]) },
    synced: Promise.resolve(),
  } as unknown as Watches; // all that rounds look at
  const desired = nothingDesired();
  const written: ResourceStatus[] = [];
  const failed: string[] = [];
  let published: IngressPlan | undefined;
  let taken: IngressPlan | undefined;
  let rounds = 0;
  const write = (key: string): void => {
    const status = desired.statuses.get(key.slice('status '.length));
    const link = status && links.get(status.key);
    if (status?.kind !== 'PacsLink' || link === undefined) return;
    written.push(status);
    const { observedGeneration, conditions, fields } = status;
    links.put({ ...link, status: { observedGeneration, conditions: [...conditions], ...fields } });
  };
  const said = (link: string): IngressObservation => {
    const entries = (plan: IngressPlan | undefined): string =>
      JSON.stringify(plan?.hosts.filter((host) => host.link === link));
    return entries(published) === entries(taken)
      ? { status: 'True', reason: 'Programmed', message: '' }
      : { status: 'Unknown', reason: 'NotAcknowledged', message: '' };
  };
  const world = { prompt: true };
  const reconciler = startClusterReconciler({
    settings: {
      namespace: 'system',
      namespaces: 'all',
      instance: 'operator-a',
      workload: { image: '', imagePullPolicy: 'Always', imagePullSecrets: [], system: { name: 'drimbox' } },
      software: { name: 'drimbox', version: '1' },
      statusPeriodMs: 1_000,
      resyncMs: 60_000,
    },
    watches,
    plans: createPlanShelf(),
    observer: {
      async look() {
        const now = { ...given, sites: sites.list(), links: links.list(), trustSpaces: trustSpaces.list() };
        const internal = await identities.of({
          sites: sites.list().map(keyOf),
          authority: undefined,
          identityOf: () => undefined,
          mayMake: true,
          now: new Date(),
        });
        if (internal === undefined) return undefined;
        return { seen: { ...observe(now, { cluster: true }), internal: internal.identities }, internal };
      },
    },
    certificates,
    documents,
    desired,
    writer: { add: (key) => void setImmediate(() => write(key)) },
    isLeader: () => true,
    publish: async (plan) => {
      published = plan;
      if (world.prompt) taken = plan;
      await Promise.resolve();
    },
    ingress: () => new Map(published?.hosts.map(({ link }) => [link, said(link)])),
    tracing: withoutSpans(),
    onRound: () => undefined,
    journal: { record: () => undefined, events: () => [] },
    onStatus(_resources, error) {
      if (error !== undefined) failed.push(error);
      rounds += 1;
    },
    now: () => new Date('2027-01-01T00:00:00Z'),
  });
  const served = (): number => new Set(written.filter(isProgrammed).map(({ key }) => key)).size;
  await until('all links are said to be served', () => served() === 3);
  assert.equal(failed, []);
  written.length = 0;
  return Object.assign(world, {
    reconciler,
    rounds: () => rounds,
    written,
    acknowledge: () => void (taken = published),
    changeLimits(name: string) {
      const link = links.get(name);
      assert.ok(link);
      const { metadata, spec } = link;
      links.put({
        ...link,
        metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 },
        spec: { ...spec, limits: { ...spec.limits, maxConnections: spec.limits.maxConnections + 1 } },
      });
      reconciler.trigger();
    },
  });
}

function isProgrammed({ conditions }: ResourceStatus): boolean {
  return conditions.some(({ type, status }) => type === 'IngressProgrammed' && status === 'True');
}

/** `LINK GENERATION STATUS` of what was written of the ingress. */
const claims = ({ written }: World): readonly string[] =>
  written.map(({ key, observedGeneration, conditions }) => {
    const found = conditions.find(({ type }) => type === 'IngressProgrammed');
    assert.is(found?.observedGeneration, observedGeneration);
    return `${key} ${observedGeneration} ${found?.status}`;
  });

async function nextRound(world: World): Promise<void> {
  const before = world.rounds();
  world.reconciler.trigger();
  await until('another round ended', () => world.rounds() > before);
}

test('a link that changes is said to be served when the proxy has the change, and no other link is written', async () => {
  const world = await open();
  world.prompt = false;
  world.changeLimits(changed);
  await nextRound(world);
  await nextRound(world);
  assert.equal(claims(world), []);
  // Nobody asks for a round.
  world.acknowledge();
  await until('it is written', () => world.written.length > 0);
  await nextRound(world);
  assert.equal(claims(world), [`${changed} 2 True`]);
  await world.reconciler.stop();
});

test('a proxy that takes a change before the round is over: one write', async () => {
  const world = await open();
  world.changeLimits(changed);
  await until('it is written', () => world.written.length > 0);
  await nextRound(world);
  assert.equal(claims(world), [`${changed} 2 True`]);
  await world.reconciler.stop();
});

test('a proxy that is slow is said to be, of the links that changed alone, and the change is said when it comes', async () => {
  const world = await open();
  world.prompt = false;
  world.changeLimits(changed);
  await until('it is written', () => world.written.length > 0);
  world.acknowledge();
  world.reconciler.trigger();
  await until('it is written again', () => world.written.length > 1);
  await nextRound(world);
  assert.equal(claims(world), [`${changed} 2 Unknown`, `${changed} 2 True`]);
  await world.reconciler.stop();
});

test.run();
