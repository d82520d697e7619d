/** An operator that is ahead of its CRDs: it serves every site, writes nothing over and over, and takes the newer CRDs as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type RegionWorld, openRegionWorld, siteNamespace } from '../bench/region-world.ts';
import { laterFields, without } from '../crds/earlier.ts';
import { readCrd } from '../crds/fixtures.ts';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import { freePort } from '../parts/ports.ts';
import { pathOf } from '../parts/region.ts';
import {
  allReady,
  change,
  look,
  objectPath,
  page,
  patience,
  settled,
  type Seen,
  versions,
  writes,
} from './kubernetes-seen.ts';
import { until } from './site.ts';

const sitePath = pathOf('DrimboxSite', siteNamespace, 'site-1');
const definitionPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/drimboxsites.drimbox.dev';
const earlier = [readCrd('TrustSpace'), without(readCrd('DrimboxSite'), laterFields), readCrd('PacsLink')];

let world: RegionWorld;
let operator: ClusterOperatorPart;

interface Site extends Seen {
  readonly spec: Readonly<Record<string, unknown>>;
}

async function site(): Promise<Site> {
  return (await look(world.kube, sitePath)) as Site; // as the API server's schema has it
}

/** Rounds come by themselves too, every ten seconds. */
async function nothingIsWritten(): Promise<void> {
  await settled(world.kube, operator.metricsPort);
  const before = { versions: await versions(world.kube), writes: writes(await page(operator.metricsPort)) };
  await sleep(12_000);
  await settled(world.kube, operator.metricsPort);
  assert.equal({ versions: await versions(world.kube), writes: writes(await page(operator.metricsPort)) }, before);
}

test.before(async () => {
  world = await openRegionWorld({ sites: 2, pacs: 1, crds: earlier });
  const controlPort = await freePort();
  operator = await world.startOperator('operator-a', ['--control', `127.0.0.1:${controlPort}`]);
  await world.startEnvoy([{ ...operator, controlPort }]);
  await world.applySites(2);
});

test.after(async () => {
  await world.stop();
});

test('with CRDs that know neither replicas nor a database every site is served, and the operator comes to rest', async () => {
  assert.is((await site()).spec['replicas'], undefined);
  await until('every site and link Ready', async () => await allReady(world), patience);
  const set = await look(world.kube, objectPath('statefulsets', siteNamespace, 'drimbox-site-1'));
  assert.is(set?.spec?.['replicas'], 1);
  const refused = (await site()).status?.conditions?.filter(({ reason }) =>
    /Clash|TooSmall|Several|NotFound/.test(reason),
  );
  assert.equal(refused, []);
  await nothingIsWritten();
});

test('a change is followed as ever', async () => {
  await change(world.kube, sitePath, { spec: { structure: { name: 'Changé avant les CRD' } } });
  await until('the site Ready again', async () => await allReady(world), patience);
  assert.is((await site()).status?.observedGeneration, (await site()).metadata.generation);
});

test('the newer CRDs under a running operator change no object of a site, and their fields work from then on', async () => {
  await settled(world.kube, operator.metricsPort);
  const path = objectPath('statefulsets', siteNamespace, 'drimbox-site-1');
  const before = await look(world.kube, path);
  const { spec } = readCrd('DrimboxSite');
  await change(world.kube, definitionPath, { spec });
  await until('replicas has its default', async () => (await site()).spec['replicas'] === 1, patience);
  await change(world.kube, sitePath, { spec: { structure: { name: 'Changé après les CRD' } } });
  await until('the site Ready again', async () => await allReady(world), patience);
  const after = await look(world.kube, path);
  assert.is(after?.metadata.generation, before?.metadata.generation);
  await nothingIsWritten();
});

test.run();
