/** What is asked of the API server for a key of the queue: with the real applier and client, against a server that takes everything. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { siteInput } from '../../infrastructure/kubernetes/site-input.testing.ts';
import { createApplier } from '../../resources/kubernetes/apply.ts';
import { type KubeClient, createKubeClient } from '../../resources/kubernetes/client.ts';
import { type FakeApiserver, startFakeApiserver } from '../../resources/kubernetes/fake-apiserver.testing.ts';
import type { KubeObject } from '../../resources/kubernetes/resource-kind.ts';
import { type WritableStore, createStore } from '../../resources/kubernetes/store.ts';
import { keyOf } from '../../resources/inventory.ts';
import { clusterCertificates } from './certificate-secrets.ts';
import { clusterDocuments } from './cluster-documents.ts';
import { dispatcher } from './dispatch.ts';
import type { DataObject, LinkObject, SiteObject, Watches } from './watches.ts';
import { type Desired, nothingDesired } from './wishes.ts';
import type { Written } from './writer.ts';
import { whitelistMaps } from './writes.ts';

const { site, trust, links, plan, settings: workload } = siteInput();
const [link] = links;
if (link === undefined) throw new Error('two-sites has no link');
const key = keyOf(site);

let server: FakeApiserver;
let client: KubeClient;
let sites: WritableStore<SiteObject>;
let write: (key: string) => Promise<Written>;
let desired: Desired;
let pods: WritableStore<KubeObject>;
let services: WritableStore<KubeObject>;

test.before.each(async () => {
  server = await startFakeApiserver();
  server.other = ({ body }) => ({ status: 200, body: JSON.parse(body) });
  client = createKubeClient({ access: server.access, qps: 10_000, burst: 10_000 });
  sites = createStore<SiteObject>();
  const linkStore = createStore<LinkObject>();
  linkStore.put(link);
  pods = createStore<KubeObject>({ site: () => [key] });
  services = createStore<KubeObject>();
  const live: Watches['live'] = ({ plural }, name) => (plural === 'services' ? services.get(name) : undefined);
  const watches = { sites: { store: sites }, links: { store: linkStore }, pods: { store: pods }, live };
  const certificates = clusterCertificates(createStore<DataObject>(), () => undefined);
  certificates.keep(keyOf(link), 'db', { keyPem: 'key', csrPem: 'csr', requestedAt: '2026-01-01T00:00:00Z' });
  desired = nothingDesired();
  desired.sites.set(key, { site, trust, links, plan });
  write = dispatcher({
    client,
    applier: createApplier({ client, live }),
    settings: {
      namespace: 'system',
      namespaces: 'all',
      instance: 'operator-a',
      workload,
      software: { name: 'drimbox', version: '1' },
      statusPeriodMs: 1_000,
      resyncMs: 60_000,
    },
    desired,
    documents: clusterDocuments(
      'system',
      createStore<DataObject>(),
      () => true,
      () => undefined,
    ),
    certificates,
    watches: watches as unknown as Watches, // all that writing looks at
  });
});

test.after.each(async () => {
  await client.close();
  await server.stop();
});

const there = (change: Partial<SiteObject['metadata']> = {}, spec: object = {}): SiteObject => ({
  ...site,
  metadata: { ...site.metadata, ...change },
  spec: { ...site.spec, ...spec },
});

async function written(...keys: readonly string[]): Promise<number> {
  server.seen.length = 0;
  for (const one of keys) assert.equal(await write(one), { done: true });
  return server.seen.filter(({ method }) => method !== 'GET').length;
}

test('a site and what was asked for its links are written', async () => {
  sites.put(there());
  assert.ok((await written(`site ${key}`)) >= 7);
  assert.is(await written(`certificate ${keyOf(link)}`), 1);
});

test('nothing is written of a site that is gone, going, paused, or another one of the same name', async () => {
  const keys = [`site ${key}`, `certificate ${keyOf(link)}`];
  assert.is(await written(...keys), 0, 'gone');
  sites.put(there({ deletionTimestamp: '2026-01-01T00:00:00Z' }));
  assert.is(await written(...keys), 0, 'going');
  sites.put(there({}, { paused: true }));
  assert.is(await written(...keys), 0, 'paused');
  sites.put(there({ annotations: { 'drimbox.dev/paused': 'true' } }));
  assert.is(await written(...keys), 0, 'paused by annotation');
  sites.put(there({ uid: '00000000-0000-4000-8000-000000000009' }));
  assert.is(await written(`site ${key}`), 0, 'made anew: its own wish comes with the next round');
});

test('a list is written as long as one of its sites is there, also one that is paused', async () => {
  const list = `whitelist ${site.metadata.namespace} ${site.spec.trustSpace}`;
  const another = { ...site, metadata: { ...site.metadata, name: 'gone', uid: 'gone' } };
  const maps = whitelistMaps(site.metadata.namespace, site.spec.trustSpace, [site, another], Buffer.from('<list/>'));
  desired.whitelists.set(list.slice('whitelist '.length), maps);
  assert.is(await written(list), 0, 'it was taken away with the last of them, whose deletion is about to be heard of');
  sites.put(there({ deletionTimestamp: '2026-01-01T00:00:00Z' }));
  assert.is(await written(list), 0, 'going');
  sites.put(there({ uid: '00000000-0000-4000-8000-000000000009' }));
  assert.is(await written(list), 0, 'made anew');
  sites.put(there({}, { paused: true }));
  assert.is(await written(list), maps.length);
});

const shared = siteInput({
  replicas: 2,
  storage: { postgres: { host: 'db', database: 'nord', credentials: { secretName: 'a' }, trust: { inline: 'PEM' } } },
});

function object(kind: string, name: string, ofSite = site.metadata.name): KubeObject {
  const labels = { 'drimbox.dev/site': ofSite };
  return {
    apiVersion: 'v1',
    kind,
    metadata: { namespace: site.metadata.namespace, name, labels, uid: `uid of ${name}` },
  };
}

const removed = (): string[] => server.seen.filter(({ method }) => method === 'DELETE').map(({ path }) => path);

test('with fewer gateways the Services of the others go when their pods are gone, and nobody else’s', async () => {
  sites.put(there());
  desired.sites.set(key, { ...shared });
  for (const index of [0, 1, 2, 3]) services.put(object('Service', `drimbox-nord-dimse-${index}`));
  services.put(object('Service', 'drimbox-nord-dimse-4', 'nord-dimse-4'));
  pods.put(object('Pod', 'drimbox-nord-0'));
  pods.put(object('Pod', 'drimbox-nord-2'));
  await written(`site ${key}`);
  assert.equal(removed(), ['/api/v1/namespaces/group/services/drimbox-nord-dimse-3']);
  const nudged = server.seen.filter(({ path }) => path.includes('/pods/')).map(({ path }) => path.split('/').at(-1));
  assert.equal(nudged, ['drimbox-nord-0', 'drimbox-nord-2'], 'each pod looks at its files at once');
  services.delete('group/drimbox-nord-dimse-3');
  pods.delete('group/drimbox-nord-2');
  await written(`site ${key}`);
  assert.equal(removed(), ['/api/v1/namespaces/group/services/drimbox-nord-dimse-2']);
  assert.match(server.seen.find(({ method }) => method === 'DELETE')?.body ?? '', 'uid of drimbox-nord-dimse-2');
});

test('while a site can not be planned, the Services of its gateways stay', async () => {
  sites.put(there());
  const { plan: _none, ...unplanned } = shared;
  desired.sites.set(key, unplanned);
  services.put(object('Service', 'drimbox-nord-dimse-3'));
  assert.ok((await written(`site ${key}`)) > 0);
  assert.equal(removed(), []);
});

test('a list whose last reader went is taken away, also when the watch does not show it yet, and once', async () => {
  desired.unread.add('ght test');
  assert.is(await written('whitelist ght test'), 1);
  const [removal] = server.seen.filter(({ method }) => method === 'DELETE');
  assert.match(String(removal?.path), /namespaces\/ght\/configmaps\/drimbox-whitelist-test/);
  assert.is(await written('whitelist ght test'), 0);
});

test('what nobody wishes any more is done, and a key that nobody knows is a fault', async () => {
  sites.put(there());
  const gone = ['site ght/other', 'status PacsLink ght/other', 'whitelist ght other', 'document x', 'own x'];
  assert.is(await written(...gone), 0);
  let fault = '';
  await write('nonsense x').catch((error: unknown) => (fault = String(error)));
  assert.match(fault, 'nobody writes nonsense x');
});

test.run();
