import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Priority } from '../../resources/kubernetes/work-queue.ts';
import type { DrimboxSite } from '../../api/types.generated.ts';
import { siteInput } from '../../infrastructure/kubernetes/site-input.testing.ts';
import type { GatewayPlan } from '../../plan/gateway-plan.ts';
import type { Observations } from '../../plan/observations.ts';
import type { Planning } from '../../plan/plan.ts';
import { keyOf } from '../../resources/inventory.ts';
import { type WritableStore, createStore } from '../../resources/kubernetes/store.ts';
import { clusterCertificates } from './certificate-secrets.ts';
import { type ClusterDocuments, clusterDocuments } from './cluster-documents.ts';
import { internalKeeper } from './internal-identities.ts';
import type { Observed } from './observe.ts';
import type { DataObject } from './watches.ts';
import { type Desired, type Wishes, createWishes, nothingDesired } from './wishes.ts';

const { site, trust, links, plan } = siteInput();
const key = keyOf(site);
const list = `${site.metadata.namespace} test`;
const internal = await internalKeeper().of({
  sites: [key],
  authority: undefined,
  identityOf: () => undefined,
  mayMake: true,
  now: new Date(),
});
if (internal === undefined) throw new Error('no authority was made');

interface World {
  readonly desired: Desired;
  readonly documents: ClusterDocuments;
  readonly store: WritableStore<DataObject>;
  readonly wish: Wishes;
  /** What was put into the queue since the last look: key to whether it is news. */
  queued(): Readonly<Record<string, string>>;
}

function open(): World {
  const queue = new Map<string, string>();
  const desired = nothingDesired();
  const store = createStore<DataObject>();
  const documents = clusterDocuments(
    'system',
    store,
    () => true,
    () => undefined,
  );
  documents.write('trust/test/whitelist.xml', '<list/>');
  const certificates = clusterCertificates(createStore<DataObject>(), () => undefined);
  const enqueue = (name: string, priority: Priority, again?: Priority): void =>
    void queue.set(name, again === undefined || priority !== 'resync' ? priority : `resync, again ${again}`);
  return {
    desired,
    documents,
    store,
    wish: createWishes({ namespace: 'system', desired, documents, certificates, enqueue }),
    queued() {
      const found = Object.fromEntries(queue);
      queue.clear();
      return found;
    },
  };
}

function observed(sites: readonly DrimboxSite[]): Observed {
  const inventory = { trustSpaces: [trust], sites, links, secrets: new Map(), configMaps: new Map() };
  const seen = { inventory, internal: internal?.identities } as unknown as Observations; // all that wishes look at
  return { seen, internal: internal as NonNullable<typeof internal> };
}

function planning(planned = true): Planning {
  return {
    plan: {
      gateways: [],
      ingress: { hosts: [], trusts: [], internal: { ...internal?.identities.ingress, caPem: '' } },
    },
    accepted: {
      linksOf: new Map([[key, links]]),
      refusedLinks: new Map(),
      refusedSites: new Map(),
      unknownPacs: new Map(),
    },
    unplanned: planned ? new Map() : new Map([[key, { reason: 'X', message: 'x' }]]),
    gatewayOf: new Map([[key, plan]]),
    hostOf: new Map(),
  } as unknown as Planning; // all that wishes look at
}

const steady = planning();

test('everything is wished at first; the second time it stands, and is only looked at by who comes to lead', async () => {
  const world = open();
  assert.ok(await world.wish(observed([site]), steady));
  const first = world.queued();
  assert.equal(Object.keys(first).toSorted(), [
    'document trust/test/whitelist.xml',
    'own authority',
    'own proxy',
    `site ${key}`,
    `whitelist ${list}`,
  ]);
  const { [`site ${key}`]: ofSite, ...others } = first;
  assert.equal([ofSite, new Set(Object.values(others))], ['fresh', new Set(['news'])]);
  const wished = world.desired.sites.get(key);
  assert.not.ok(await world.wish(observed([site]), steady));
  const { 'document trust/test/whitelist.xml': waits, ...again } = world.queued();
  assert.ok(waits, 'what is not settled is told again');
  assert.equal(again, {
    'own authority': 'resync, again resync',
    'own proxy': 'resync, again resync',
    // Its status does not speak of its spec: whoever comes to lead writes it first.
    [`site ${key}`]: 'resync, again fresh',
    [`whitelist ${list}`]: 'resync, again resync',
  });
  assert.is(world.desired.sites.get(key), wished);
});

test('a change of one thing is news of that alone', async () => {
  const world = open();
  await world.wish(observed([site]), steady);
  world.queued();
  const changed = { ...site, spec: { ...site.spec, sourceId: '2.25.7' } };
  assert.ok(await world.wish(observed([changed]), steady));
  const news = Object.entries(world.queued()).filter(([, priority]) => !priority.startsWith('resync'));
  assert.equal(Object.fromEntries(news), { 'document trust/test/whitelist.xml': 'news', [`site ${key}`]: 'fresh' });
});

test('what turned by itself goes behind what a person asked for; a site whose status speaks of its spec waits for nobody', async () => {
  const world = open();
  const answered = { ...site, metadata: { ...site.metadata, generation: 4 }, status: { observedGeneration: 4 } };
  const answeredLinks = links.map((link) => ({
    ...link,
    metadata: { ...link.metadata, generation: 2 },
    status: { observedGeneration: 2 },
  }));
  const accepted = { ...steady.accepted, linksOf: new Map([[key, answeredLinks]]) };
  const now = { ...steady, accepted };
  await world.wish(observed([answered]), now);
  world.queued();
  await world.wish(observed([answered]), now);
  assert.is(world.queued()[`site ${key}`], 'resync, again resync');
  const other = { ...plan, config: { ...plan.config, revision: 'r9' } };
  await world.wish(observed([answered]), { ...now, gatewayOf: new Map([[key, other]]) });
  assert.is(world.queued()[`site ${key}`], 'news');
});

test('of a paused site nothing is wished; unpaused it is news although nothing else changed', async () => {
  const world = open();
  await world.wish(observed([site]), steady);
  world.queued();
  const paused = { ...site, spec: { ...site.spec, paused: true } };
  await world.wish(observed([paused]), steady);
  assert.not.ok(`site ${key}` in world.queued());
  await world.wish(observed([site]), steady);
  assert.is(world.queued()[`site ${key}`], 'fresh');
});

test('a site that can not be planned wishes its Services alone: what it has, and what is remembered, stays', async () => {
  const world = open();
  await world.wish(observed([site]), steady);
  const wished = world.desired.sites.get(key);
  assert.is(wished?.plan, plan);
  assert.ok(wished?.memory);
  await world.wish(observed([site]), planning(false));
  const now = world.desired.sites.get(key);
  const { status: _, ...wanted } = site;
  assert.equal([now?.plan, now?.memory, now?.site], [undefined, undefined, wanted]);
});

test('the plan before is the one before until there is another, whatever else is wished anew meanwhile', async () => {
  const world = open();
  const former = async (now: GatewayPlan, seen = site): Promise<readonly string[] | undefined> => {
    await world.wish(observed([seen]), { ...steady, gatewayOf: new Map([[key, now]]) });
    return world.desired.sites.get(key)?.former?.files.map(({ name }) => name);
  };
  const at = (revision: string): GatewayPlan => ({
    ...plan,
    config: { ...plan.config, revision },
    files: ['same', revision].map((name) => ({ name, content: name, secret: true })),
  });
  const [first, second, third] = [at('r1'), at('r2'), at('r3')];
  assert.is(await former(first), undefined);
  assert.equal(await former(second), ['r1'], 'of its files those that are no more');
  const other = { ...site, spec: { ...site.spec, logLevel: 'debug' as const } };
  assert.equal(await former(second, other), ['r1'], 'wished anew with the same plan');
  assert.equal(await former(at('r2')), ['r1'], 'planned anew, and the same came of it');
  assert.equal(await former(third, other), ['r2']);
});

test('a list that is withdrawn wishes no ConfigMap; one whose last site went is taken away', async () => {
  const world = open();
  await world.wish(observed([site]), steady);
  assert.is(world.desired.whitelists.get(list)?.length, 1);
  world.documents.remove('trust/test/whitelist.xml');
  await world.wish(observed([site]), steady);
  assert.equal(world.desired.whitelists.get(list), []);
  world.desired.unwritten.set(key, 'refused');
  await world.wish(observed([]), steady);
  assert.equal([world.desired.whitelists.size, world.desired.sites.size, world.desired.unwritten.size], [0, 0, 0]);
  assert.equal([...world.desired.unread], [list]);
  assert.ok(`whitelist ${list}` in world.queued());
  await world.wish(observed([site]), steady);
  assert.is(world.desired.unread.size, 0, 'a new reader came before it was taken away');
});

test('the owners of a list stand in one order, whoever was seen first', async () => {
  const other = { ...site, metadata: { ...site.metadata, name: 'aaa', uid: 'u' } };
  const owners = async (...sites: readonly DrimboxSite[]): Promise<unknown> => {
    const world = open();
    await world.wish(observed(sites), steady);
    return world.desired.whitelists.get(list)?.[0]?.metadata.ownerReferences;
  };
  assert.equal(await owners(site, other), await owners(other, site));
});

test.run();
