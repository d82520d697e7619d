/** From resources to objects and conditions on a real API server, and back again when somebody changes them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type RegionWorld, openRegionWorld, operatorNamespace, siteNamespace } from '../bench/region-world.ts';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import { freePort } from '../parts/ports.ts';
import { pathOf } from '../parts/region.ts';
import {
  allReady,
  change,
  condition,
  look,
  objectPath,
  ownObjects,
  page,
  patience,
  rounds,
  type Seen,
  settled,
  writes,
} from './kubernetes-seen.ts';
import { until } from './site.ts';

const stop = new AbortController();
const history: Seen[] = [];
const sitePath = pathOf('DrimboxSite', siteNamespace, 'site-1');
const namespaces = [siteNamespace, operatorNamespace];

let world: RegionWorld;
let operator: ClusterOperatorPart;
let controlPort: number;
const watching: Promise<void>[] = [];

const start = async (): Promise<void> => {
  operator = await world.startOperator('operator-a', ['--control', `127.0.0.1:${controlPort}`]);
};
const quiet = async (): Promise<void> => await settled(world.kube, operator.metricsPort);
const connected = async (): Promise<boolean> =>
  (await page(operator.metricsPort)).get('drimbox_proxies_acknowledged') === 1;

test.before(async () => {
  world = await openRegionWorld({ sites: 2, pacs: 1 });
  for (const plural of ['drimboxsites', 'pacslinks'])
    watching.push(
      world.kube.watch(
        `/apis/drimbox.dev/v1alpha1/namespaces/${siteNamespace}/${plural}`,
        ({ object }) => void history.push(object as unknown as Seen), // as the API server's schema has it
        stop.signal,
      ),
    );
  controlPort = await freePort();
  await start();
  await world.startEnvoy([{ ...operator, controlPort }]);
  await world.applySites(2);
  await until('every site and link Ready', async () => await allReady(world), patience);
});

test.after(async () => {
  stop.abort();
  await Promise.all(watching);
  await world.stop();
});

test('a site has all its objects, with its labels, owned by it; its archive is owned by nobody', async () => {
  const site = await look(world.kube, sitePath);
  const objects = await ownObjects(world.kube, [siteNamespace]);
  const own = [...objects].filter(([, { metadata }]) => metadata.labels?.['drimbox.dev/site'] === 'site-1');
  assert.equal(own.map(([key]) => key.replace(`${siteNamespace}/`, '')).toSorted(), [
    'configmaps drimbox-site-1',
    'networkpolicies drimbox-site-1',
    'persistentvolumeclaims drimbox-site-1-data',
    'secrets drimbox-site-1',
    'secrets drimbox-site-1-memory',
    'services drimbox-site-1',
    'services drimbox-site-1-internal',
    'statefulsets drimbox-site-1',
  ]);
  for (const [key, { metadata }] of own) {
    assert.is(metadata.labels?.['app.kubernetes.io/part-of'], 'drimbox', key);
    const owners = metadata.ownerReferences?.map(({ uid, controller }) => ({ uid, controller }));
    const expected = key.startsWith('persistent') ? undefined : [{ uid: site?.metadata.uid, controller: true }];
    assert.equal(owners, expected, key);
  }
});

test('a status never says more than was seen: Ready only with all the rest, reasons always, times only with a change', () => {
  const told = history.filter((seen) => (seen.status?.conditions ?? []).length > 0);
  const former = new Map<string, Seen>();
  for (const seen of told) {
    const { metadata, status } = seen;
    const conditions = status?.conditions ?? [];
    const name = `${String(seen['kind'])} ${metadata.name}`;
    const before = former.get(name);
    assert.ok((status?.observedGeneration ?? 0) <= (metadata.generation ?? 0), name);
    for (const one of conditions) {
      assert.match(one.reason, /^[A-Z][A-Za-z0-9]+$/, `${name} ${one.type}`);
      const last = condition(before, one.type);
      if (last !== undefined && last.status === one.status)
        assert.is(one.lastTransitionTime, last.lastTransitionTime, `${name} ${one.type}`);
    }
    if (condition(seen, 'Ready')?.status === 'True')
      for (const type of ['Accepted', 'CertificatesReady', 'PacsReachable'])
        assert.is(condition(seen, type)?.status, 'True', `${name} ${type}`);
    if (before === undefined) assert.is.not(condition(seen, 'Ready')?.status, 'True', `${name} at first sight`);
    former.set(name, seen);
  }
  assert.is(former.size, 4);
  const workload = told.find((seen) => condition(seen, 'WorkloadAvailable') !== undefined);
  assert.is.not(condition(workload, 'WorkloadAvailable')?.status, 'True');
});

test('a change of the spec is followed: observedGeneration, config and its revision', async () => {
  const config = objectPath('configmaps', siteNamespace, 'drimbox-site-1');
  const before = (await look(world.kube, config))?.data?.['config.json'];
  const { metadata } = await change(world.kube, sitePath, { spec: { structure: { name: 'Autre nom' } } });
  await until(
    'the new generation Ready',
    async () => {
      const seen = await look(world.kube, sitePath);
      return seen?.status?.observedGeneration === metadata.generation && condition(seen, 'Ready')?.status === 'True';
    },
    patience,
  );
  const after = (await look(world.kube, config))?.data?.['config.json'] ?? '';
  assert.match(after, 'Autre nom');
  assert.is.not(after, before);
  const { revision } = JSON.parse(after) as { readonly revision: string };
  assert.is((await look(world.kube, sitePath))?.status?.['revision'], revision);
});

/** With who wrote what and when; the API server counts an apply of the same to a PersistentVolumeClaim as a version of its own. */
function content(seen: Seen | undefined): object {
  return { ...seen, metadata: { ...seen?.metadata, resourceVersion: '' } };
}

test('an operator started again changes nothing, and writes nothing while nothing changes', async () => {
  await quiet();
  const before = await ownObjects(world.kube, namespaces);
  await operator.stop();
  await start();
  await until('its proxy', connected, patience);
  await quiet();
  await until('every site and link Ready', async () => await allReady(world), patience);
  const after = await ownObjects(world.kube, namespaces);
  assert.equal([...after.keys()], [...before.keys()]);
  // Statuses may say meanwhile that no proxy is connected; what is made of the resources stays untouched.
  for (const [key, seen] of after) assert.equal(content(seen), content(before.get(key)), key);
  // What its proxies say is told to other replicas a moment after they said it.
  let first = await page(operator.metricsPort);
  await until(
    'nothing written for a second',
    async () => {
      await sleep(1_000);
      const former = first;
      first = await page(operator.metricsPort);
      return JSON.stringify(writes(former)) === JSON.stringify(writes(first));
    },
    patience,
  );
  await until('two rounds more', async () => rounds(await page(operator.metricsPort)) >= rounds(first) + 2, patience);
  assert.equal(writes(await page(operator.metricsPort)), writes(first));
});

interface Drift {
  readonly plural: string;
  readonly name: string;
  readonly patch: Record<string, unknown>;
}

const drifts: readonly Drift[] = [
  { plural: 'services', name: 'drimbox-site-1', patch: { spec: { selector: { 'drimbox.dev/site': 'other' } } } },
  { plural: 'statefulsets', name: 'drimbox-site-1', patch: { spec: { replicas: 3 } } },
  { plural: 'configmaps', name: 'drimbox-site-1', patch: { data: { 'config.json': '{}' } } },
  { plural: 'secrets', name: 'drimbox-site-1-memory', patch: { data: { 'tls.key': 'AAAA' } } },
  { plural: 'networkpolicies', name: 'drimbox-site-1', patch: { spec: { ingress: [{}] } } },
  { plural: 'configmaps', name: 'drimbox-whitelist-test', patch: { data: { 'whitelist.xml': '<none/>' } } },
];

/** What the operator says of an object, as text. */
function said({ spec, data, metadata }: Seen): string {
  return JSON.stringify([spec, data, metadata.labels?.['drimbox.dev/site']]);
}

for (const { plural, name, patch } of drifts)
  test(`${plural}/${name} changed by hand is put right at once; what others own of it stays`, async () => {
    const path = objectPath(plural, siteNamespace, name);
    const wanted = await look(world.kube, path);
    assert.ok(wanted);
    const others = { annotations: { 'other.example/note': 'stays' }, labels: { 'other.example/team': 'radiology' } };
    const changed = await change(world.kube, path, { ...patch, metadata: others }, 'other');
    assert.is.not(said(changed), said(wanted));
    let now: Seen | undefined;
    await until(
      'put right',
      async () => {
        now = await look(world.kube, path);
        return now !== undefined && said(now) === said(wanted);
      },
      patience,
    );
    assert.is(now?.metadata.annotations?.['other.example/note'], 'stays');
    assert.is(now?.metadata.labels?.['other.example/team'], 'radiology');
    assert.is(now?.metadata.uid, wanted.metadata.uid);
  });

for (const { plural, name } of drifts)
  test(`${plural}/${name} deleted by hand is there again at once`, async () => {
    const path = objectPath(plural, siteNamespace, name);
    const wanted = await look(world.kube, path);
    await world.kube.request('DELETE', path);
    await until(
      'made again',
      async () => {
        const uid = (await look(world.kube, path))?.metadata.uid;
        return uid !== undefined && uid !== wanted?.metadata.uid;
      },
      patience,
    );
    assert.equal(Object.keys((await look(world.kube, path))?.data ?? {}), Object.keys(wanted?.data ?? {}));
  });

test('the internal authority deleted by hand is the same again', async () => {
  const path = objectPath('secrets', operatorNamespace, 'drimbox-internal-authority');
  const before = await look(world.kube, path);
  await world.kube.request('DELETE', path);
  await until('made again', async () => (await look(world.kube, path)) !== undefined, patience);
  assert.equal((await look(world.kube, path))?.data, before?.data);
});

test.run();
