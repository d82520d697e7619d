/** Sites with several gateways on one database, on a real API server: what is made of them, what is said of them, what goes with them. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type RegionWorld, openRegionWorld, siteNamespace } from '../bench/region-world.ts';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import { freePort } from '../parts/ports.ts';
import { type Json, applyResource, pathOf } from '../parts/region.ts';
import {
  change,
  condition,
  look,
  objectPath,
  ownObjects,
  patience,
  type Seen,
  untilVerdict,
  verdict,
} from './kubernetes-seen.ts';
import { until } from './site.ts';

const sitePath = pathOf('DrimboxSite', siteNamespace, 'site-1');
const secretPath = objectPath('secrets', siteNamespace);
const pod = (index: number): string => `${siteNamespace}/drimbox-site-1-${index}`;
const podPath = (index: number): string => `/api/v1/namespaces/${siteNamespace}/pods/drimbox-site-1-${index}`;

let world: RegionWorld;
let operator: ClusterOperatorPart;

const seenSite = async (): Promise<Seen | undefined> => await look(world.kube, sitePath);

/** The CA of a real authority, and a Secret as CloudNativePG makes it. */
async function makeDatabase(password: string): Promise<void> {
  const { kube, region } = world;
  const secrets = {
    'site-1-app': { username: 'site1', password, dbname: 'site1', host: 'site-1-rw' },
    'site-1-ca': { 'ca.crt': readFileSync(region.pki.bundleFile, 'utf8') },
  };
  for (const [name, stringData] of Object.entries(secrets)) {
    const type = name.endsWith('-app') ? 'kubernetes.io/basic-auth' : 'Opaque';
    const made = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: siteNamespace }, type, stringData };
    const path = `${secretPath}/${name}?fieldManager=person&force=true`;
    const { status, body } = await kube.request('PATCH', path, made, 'application/apply-patch+yaml');
    if (status >= 300) throw new Error(JSON.stringify(body));
  }
}

async function configOf(): Promise<{ readonly replicas?: number; readonly storage: Json; readonly revision: string }> {
  const map = await look(world.kube, objectPath('configmaps', siteNamespace, 'drimbox-site-1'));
  return JSON.parse(map?.data?.['config.json'] ?? '{}') as Awaited<ReturnType<typeof configOf>>;
}

/** Of the site's objects of that kind. */
async function names(plural: string): Promise<string[]> {
  return [...(await ownObjects(world.kube, [siteNamespace]))]
    .filter(([key, { metadata }]) => key.startsWith(`${plural} `) && metadata.labels?.['drimbox.dev/site'] === 'site-1')
    .map(([, { metadata }]) => metadata.name)
    .toSorted();
}

test.before(async () => {
  world = await openRegionWorld({ sites: 1, pacs: 1 });
  const controlPort = await freePort();
  operator = await world.startOperator('operator-a', [
    '--control',
    `127.0.0.1:${controlPort}`,
    '--status-seconds',
    '1',
  ]);
  await world.startEnvoy([{ ...operator, controlPort }]);
  await applyResource(world.kube, world.region.trustSpace);
  for (const document of world.region.sites[0]?.documents ?? [])
    await applyResource(world.kube, document['kind'] === 'DrimboxSite' ? shared(document) : document);
});

test.after(async () => await world.stop());

function shared(site: Json): Json {
  const storage = {
    postgres: {
      host: 'site-1-rw.region.svc',
      database: 'site1',
      credentials: { secretName: 'site-1-app' },
      trust: { secret: { name: 'site-1-ca' } },
    },
  };
  return { ...site, spec: { ...(site['spec'] as Json), replicas: 2, storage } };
}

test('without its Secrets the site says which one is missing, and is not started', async () => {
  await untilVerdict(world.kube, sitePath, 'Accepted', 'False CredentialsNotFound');
  assert.match(condition(await seenSite(), 'Accepted')?.message ?? '', /Secret region\/site-1-app does not exist/);
  assert.is(condition(await seenSite(), 'Stalled'), undefined, 'it may still come');
  assert.equal(await names('statefulsets'), []);
});

test('with them two gateways run, each with a Service for its images, under one budget and without a volume', async () => {
  await makeDatabase('first');
  await untilVerdict(world.kube, sitePath, 'Ready', 'True Ready');
  const seen = await seenSite();
  assert.is(verdict(seen, 'ReplicasReady'), 'True AllServe');
  assert.is(seen?.status?.['gateways'], '2/2');
  assert.equal(await names('services'), [
    'drimbox-site-1',
    'drimbox-site-1-dimse-0',
    'drimbox-site-1-dimse-1',
    'drimbox-site-1-internal',
  ]);
  assert.equal(await names('poddisruptionbudgets'), ['drimbox-site-1']);
  assert.equal(await names('persistentvolumeclaims'), []);
  for (const index of [0, 1]) {
    const service = await look(world.kube, objectPath('services', siteNamespace, `drimbox-site-1-dimse-${index}`));
    const { labels = {} } = (await look(world.kube, podPath(index)))?.metadata ?? {};
    for (const [name, value] of Object.entries(service?.spec['selector'] as Json)) assert.is(labels[name], value);
  }
  const { replicas, storage } = await configOf();
  assert.is(replicas, 2);
  assert.match(JSON.stringify(storage), /"user":"site1"/);
});

for (const [plural, name] of [
  ['poddisruptionbudgets', 'drimbox-site-1'],
  ['services', 'drimbox-site-1-dimse-1'],
] as const)
  test(`${plural}/${name} belongs to its site; deleted by hand it is there again at once`, async () => {
    const path = objectPath(plural, siteNamespace, name);
    const before = await look(world.kube, path);
    const owners = before?.metadata.ownerReferences?.map(({ uid, controller }) => ({ uid, controller }));
    assert.equal(owners, [{ uid: (await seenSite())?.metadata.uid, controller: true }]);
    await world.kube.request('DELETE', path);
    await until(
      'made again',
      async () => {
        const uid = (await look(world.kube, path))?.metadata.uid;
        return uid !== undefined && uid !== before?.metadata.uid;
      },
      patience,
    );
  });

test('a new password is a new file and a new revision; it stands in the Secret alone', async () => {
  const before = await configOf();
  await makeDatabase('second');
  await until('another revision', async () => (await configOf()).revision !== before.revision, patience);
  await untilVerdict(world.kube, sitePath, 'Ready', 'True Ready');
  const files = await look(world.kube, objectPath('secrets', siteNamespace, 'drimbox-site-1'));
  const contents = Object.entries(files?.data ?? {}).flatMap(([name, data]) =>
    name.endsWith('.password') ? [Buffer.from(data, 'base64').toString('utf8')] : [],
  );
  assert.equal(contents.toSorted(), ['first', 'second'], 'the former one stays until the next');
  for (const [key, seen] of await ownObjects(world.kube, [siteNamespace]))
    if (key.startsWith('configmaps')) assert.not.match(JSON.stringify(seen.data), 'second');
});

test('one gateway that does not answer is named; the other one serves', async () => {
  world.region.gateways.set(pod(1), undefined);
  await untilVerdict(world.kube, sitePath, 'ReplicasReady', 'Unknown NotAnswering');
  const seen = await seenSite();
  assert.match(condition(seen, 'ReplicasReady')?.message ?? '', /^1 of 2 gateways serve; drimbox-site-1-1: /);
  assert.is(verdict(seen, 'WorkloadAvailable'), 'True Running');
  assert.is.not(condition(seen, 'Ready')?.status, 'True');
  assert.is(seen?.status?.['gateways'], '1/2');
  world.region.gateways.delete(pod(1));
  await untilVerdict(world.kube, sitePath, 'Ready', 'True Ready');
});

test('more gateways than AE titles: refused in words on site and link, and what runs goes on', async () => {
  await change(world.kube, sitePath, { spec: { replicas: 3 } });
  await untilVerdict(world.kube, sitePath, 'Accepted', 'False AeTitlePoolTooSmall');
  await untilVerdict(
    world.kube,
    pathOf('PacsLink', siteNamespace, 'site-1-pacs-1'),
    'Accepted',
    'False AeTitlePoolTooSmall',
  );
  const set = await look(world.kube, objectPath('statefulsets', siteNamespace, 'drimbox-site-1'));
  assert.is(set?.spec['replicas'], 2);
  assert.is(verdict(await seenSite(), 'WorkloadAvailable'), 'True Running');
  const link = await look(world.kube, pathOf('PacsLink', siteNamespace, 'site-1-pacs-1'));
  assert.is(condition(link, 'IngressProgrammed')?.status, 'True', 'its names are served as before');
});

test('down to one gateway the Service of the other goes with its pod; the budget stays and holds nothing up', async () => {
  await change(world.kube, sitePath, { spec: { replicas: 1 } });
  await until('one Service for images', async () => (await names('services')).length === 3, patience);
  assert.equal(await names('services'), ['drimbox-site-1', 'drimbox-site-1-dimse-0', 'drimbox-site-1-internal']);
  assert.is(await look(world.kube, podPath(1)), undefined);
  await untilVerdict(world.kube, sitePath, 'Ready', 'True Ready');
  const seen = await seenSite();
  assert.is(condition(seen, 'ReplicasReady'), undefined);
  assert.is(seen?.status?.['gateways'], undefined);
  assert.is((await configOf()).replicas, undefined);
  assert.equal(await names('poddisruptionbudgets'), ['drimbox-site-1']);
});

test('changes of conditions stand beside the site as events', async () => {
  const selector = encodeURIComponent('regarding.kind=DrimboxSite,regarding.name=site-1');
  const path = `/apis/events.k8s.io/v1/namespaces/${siteNamespace}/events?fieldSelector=${selector}`;
  const { body } = await world.kube.request('GET', path);
  const notes = (body['items'] as readonly Json[]).map(({ reason, note }) => `${String(reason)}: ${String(note)}`);
  assert.ok(
    notes.some((note) => note.startsWith('CredentialsNotFound: Accepted: ')),
    notes.join('\n'),
  );
  assert.ok(notes.includes('Accepted: Accepted: True, was False'), notes.join('\n'));
  assert.ok(
    notes.some((note) => note.startsWith('AeTitlePoolTooSmall: Accepted: ')),
    notes.join('\n'),
  );
});

test.run();
