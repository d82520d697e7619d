/** What goes when resources go, with Kubernetes' own garbage collector; and an operator that has only some namespaces. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type RegionWorld, openRegionWorld, siteNamespace } from '../bench/region-world.ts';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import { startControllerManager } from '../parts/controller-manager.ts';
import type { Part } from '../parts/process.ts';
import type { RegionEnvoy } from '../parts/region-envoy.ts';
import { type Json, applyResource, pathOf } from '../parts/region.ts';
import { change, look, objectPath, ownObjects, page, patience, settled, verdict } from './kubernetes-seen.ts';
import { until } from './site.ts';

const others = { followed: 'followed', apart: 'apart' } as const;

let world: RegionWorld;
let collector: Part;
let operator: ClusterOperatorPart;
let envoy: RegionEnvoy;

const sitePath = (namespace: string, site: number): string => pathOf('DrimboxSite', namespace, `site-${site}`);
const linkPath = (namespace: string, site: number): string => pathOf('PacsLink', namespace, `site-${site}-pacs-1`);

/** A site of the region with its Secrets, in another namespace. */
async function move(site: number, namespace: string): Promise<void> {
  const { kube, region } = world;
  await kube.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  for (const name of ['auth-cli', 'sign', 'pacs-1-db', 'pacs-1-vi'].map((end) => `site-${site}-${end}`)) {
    const secret = await look(kube, objectPath('secrets', siteNamespace, name));
    const copy = { metadata: { name }, type: secret?.['type'], data: secret?.data };
    await kube.request('POST', objectPath('secrets', namespace), copy);
  }
  for (const document of region.sites[site - 1]?.documents ?? [])
    await applyResource(kube, { ...document, metadata: { ...(document['metadata'] as Json), namespace } });
}

async function objectsOf(namespace: string, site: string): Promise<string[]> {
  const own = [...(await ownObjects(world.kube, [namespace]))];
  return own.flatMap(([key, { metadata }]) => (metadata.labels?.['drimbox.dev/site'] === site ? [key] : []));
}

async function served(text: string): Promise<boolean> {
  return (await envoy.secrets()).some((name) => name.includes(text));
}

test.before(async () => {
  world = await openRegionWorld({ sites: 4, pacs: 1 });
  collector = await startControllerManager(world.kube, ['garbage-collector-controller']);
  // The last one counts: only these are looked at.
  operator = await world.startOperator('operator-a', ['--namespaces', `${siteNamespace},${others.followed}`]);
  envoy = await world.startEnvoy([operator]);
  await world.applySites(2);
  await move(3, others.followed);
  await move(4, others.apart);
  await until(
    'links of both namespaces programmed',
    async () => {
      const paths = [linkPath(siteNamespace, 1), linkPath(siteNamespace, 2), linkPath(others.followed, 3)];
      const seen = await Promise.all(paths.map(async (path) => await look(world.kube, path)));
      return seen.every((one) => verdict(one, 'IngressProgrammed') === 'True Programmed');
    },
    patience,
  );
});

test.after(async () => {
  await collector.stop();
  await world.stop();
});

test('a site in a namespace that is not named is as if it were not there', async () => {
  await settled(world.kube, operator.metricsPort);
  assert.equal([...(await ownObjects(world.kube, [others.apart])).keys()], []);
  for (const path of [sitePath(others.apart, 4), linkPath(others.apart, 4)]) {
    const seen = await look(world.kube, path);
    assert.equal(
      seen?.status?.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
      ['Ready Unknown NotObserved'],
    );
    assert.equal(
      (seen?.metadata.managedFields ?? []).map(({ manager }) => manager),
      ['person'],
    );
  }
  const names = [...(await page(operator.metricsPort)).keys()].filter((series) =>
    series.includes('drimbox_resource_ready'),
  );
  assert.ok(names.some((series) => series.includes(`namespace="${others.followed}"`)));
  assert.not.ok(names.some((series) => series.includes(`namespace="${others.apart}"`)));
  assert.not.ok(await served('site-4'));
});

test('a link deleted takes its names from the ingress, and its neighbours keep theirs', async () => {
  assert.ok(await served('site-2'));
  const before = (await look(world.kube, linkPath(siteNamespace, 1)))?.status?.conditions;
  await world.kube.request('DELETE', linkPath(siteNamespace, 2));
  await until('its names gone', async () => !(await served('site-2')), patience);
  assert.ok(await served('site-1'));
  assert.equal((await look(world.kube, linkPath(siteNamespace, 1)))?.status?.conditions, before);
});

test('a site deleted takes all its objects, but the archive that is to stay; made again it finds it', async () => {
  const { kube } = world;
  const claim = objectPath('persistentvolumeclaims', siteNamespace, 'drimbox-site-1-data');
  const archive = (await look(kube, claim))?.metadata.uid;
  assert.ok(archive);
  await kube.request('DELETE', linkPath(siteNamespace, 1));
  await kube.request('DELETE', sitePath(siteNamespace, 1));
  await until(
    'only the archive left',
    async () =>
      (await objectsOf(siteNamespace, 'site-1')).join() ===
      `persistentvolumeclaims ${siteNamespace}/drimbox-site-1-data`,
    patience,
  );
  await until('its names gone', async () => !(await served('site-1')), patience);
  await world.applySite(0);
  await until('there again', async () => (await objectsOf(siteNamespace, 'site-1')).length === 8, patience);
  assert.is((await look(kube, claim))?.metadata.uid, archive);
});

test('whenDeleted: Delete takes the archive along, and the last site of a namespace the list', async () => {
  const { kube } = world;
  const namespace = others.followed;
  const claim = objectPath('persistentvolumeclaims', namespace, 'drimbox-site-3-data');
  const list = objectPath('configmaps', namespace, 'drimbox-whitelist-test');
  await change(kube, sitePath(namespace, 3), { spec: { storage: { whenDeleted: 'Delete' } } });
  await until(
    'the archive owned',
    async () => ((await look(kube, claim))?.metadata.ownerReferences ?? []).length === 1,
    patience,
  );
  assert.ok(await look(kube, list));
  await kube.request('DELETE', linkPath(namespace, 3));
  await kube.request('DELETE', sitePath(namespace, 3));
  await until(
    'all but the archive gone, which waits for the controller of its protection',
    async () => {
      const left = [...(await ownObjects(kube, [namespace])).values()];
      return left.every(({ metadata }) => metadata.name === 'drimbox-site-3-data' && 'deletionTimestamp' in metadata);
    },
    patience,
  );
  // One that was written again in the moment its last reader went is taken away by the next round.
  await until('the list gone', async () => (await look(kube, list)) === undefined, patience);
  // Others have theirs.
  assert.ok(await look(kube, objectPath('configmaps', siteNamespace, 'drimbox-whitelist-test')));
});

test.run();
