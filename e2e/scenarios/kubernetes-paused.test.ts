/** What is paused stays as it is on a real API server: whatever drifts, breaks or is asked for, and through a new start of the operator. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type RegionWorld, openRegionWorld, siteNamespace } from '../bench/region-world.ts';
import { ofOperators } from '../charts/expressions.ts';
import { argoHealth } from '../judges/argo.ts';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import { freePort } from '../parts/ports.ts';
import type { RegionEnvoy } from '../parts/region-envoy.ts';
import { fqdnOf, pathOf, putSecret } from '../parts/region.ts';
import {
  allReady,
  change,
  condition,
  look,
  objectPath,
  page,
  patience,
  settled,
  verdict,
  versions,
} from './kubernetes-seen.ts';
import { until } from './site.ts';

const sitePath = pathOf('DrimboxSite', siteNamespace, 'site-1');
const linkPath = pathOf('PacsLink', siteNamespace, 'site-1-pacs-1');
const paused = 'drimbox_resources_paused';

let world: RegionWorld;
let operator: ClusterOperatorPart;
let controlPort: number;
let envoy: RegionEnvoy;

const start = async (): Promise<void> => {
  operator = await world.startOperator('operator-a', ['--control', `127.0.0.1:${controlPort}`]);
};
const quiet = async (): Promise<void> => await settled(world.kube, operator.metricsPort);
const connected = async (): Promise<boolean> =>
  (await page(operator.metricsPort)).get('drimbox_proxies_acknowledged') === 1;

const read = async (kind: string, path: string): Promise<{ readonly kind: string }> => ({
  ...(await look(world.kube, path)),
  kind,
});

/** The API server counts the first apply of the same to a PersistentVolumeClaim as a version of its own. */
function withoutClaims(seen: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(seen).filter(([key]) => !key.startsWith('persistentvolumeclaims')));
}

test.before(async () => {
  world = await openRegionWorld({ sites: 2, pacs: 1 });
  controlPort = await freePort();
  await start();
  envoy = await world.startEnvoy([{ ...operator, controlPort }]);
  await world.applySites(2);
  await until('every site and link Ready', async () => await allReady(world), patience);
});

test.after(async () => {
  await world.stop();
});

test('every series of operators that alerts and dashboard ask for is on the page of this one', async () => {
  const names = new Set([...(await page(operator.metricsPort)).keys()].map((series) => series.split('{')[0]));
  assert.ok(ofOperators.length >= 10);
  assert.equal(
    ofOperators.filter((name) => !names.has(name)),
    [],
  );
});

test('of a paused site nothing is written, not even what drifts or is asked for; its names stay through a new start', async () => {
  const { kube, region } = world;
  await quiet();
  await until('every site and link Ready again', async () => await allReady(world), patience);
  const served = (await envoy.secrets()).toSorted();
  const ofArgo = async (): Promise<readonly string[]> =>
    (await argoHealth([await read('DrimboxSite', sitePath), await read('PacsLink', linkPath)])).map(
      ({ status }) => status,
    );
  assert.equal(await ofArgo(), ['Healthy', 'Healthy']);
  await change(kube, sitePath, { spec: { paused: true } });
  await until('Paused', async () => verdict(await look(kube, sitePath), 'Paused') === 'True Paused', patience);
  assert.is((await page(operator.metricsPort)).get(paused), 1);
  assert.equal(await ofArgo(), ['Suspended', 'Healthy']);

  const service = objectPath('services', siteNamespace, 'drimbox-site-1');
  await change(kube, service, { spec: { selector: { 'drimbox.dev/site': 'by-hand' } } });
  const before = await versions(kube, 'site-1');
  const issued = await region.pki.issue({
    commonName: fqdnOf('db', 1, 1),
    organizationalUnit: '1750000001',
    kind: 'SERV_SSL',
  });
  await putSecret(kube, siteNamespace, 'site-1-pacs-1-db', issued);
  await change(kube, linkPath, { metadata: { annotations: { 'drimbox.dev/request-certificate': 'vi' } } });
  const missed = await change(kube, sitePath, { spec: { structure: { name: 'Changé en pause' } } });
  // Its neighbour's certificate breaks meanwhile: who starts now has only what was remembered.
  await change(kube, objectPath('secrets', siteNamespace, 'site-2-pacs-1-db'), {
    data: { 'tls.crt': Buffer.from('broken').toString('base64') },
  });
  const neighbour = pathOf('PacsLink', siteNamespace, 'site-2-pacs-1');
  await until(
    'the break told',
    async () => condition(await look(kube, neighbour), 'Ready')?.status === 'False',
    patience,
  );
  await quiet();
  const neighbours = withoutClaims(await versions(kube, 'site-2'));

  await operator.stop();
  await start();
  await until('its proxy', connected, patience);
  await until(
    'the missed change looked at',
    async () => (await look(kube, sitePath))?.status?.observedGeneration === missed.metadata.generation,
    patience,
  );
  await quiet();
  assert.equal(await versions(kube, 'site-1'), before);
  assert.equal(withoutClaims(await versions(kube, 'site-2')), neighbours);
  assert.is(await look(kube, objectPath('secrets', siteNamespace, 'site-1-pacs-1-vi-key')), undefined);
  assert.equal((await envoy.secrets()).toSorted(), served);
  assert.is((await page(operator.metricsPort)).get(paused), 1);

  await change(kube, sitePath, { spec: { paused: false } });
  await until(
    'what was missed',
    async () => {
      const config = await look(kube, objectPath('configmaps', siteNamespace, 'drimbox-site-1'));
      const selector = (await look(kube, service))?.spec['selector'] as Record<string, string> | undefined;
      return (
        config?.data?.['config.json']?.includes('Changé en pause') === true &&
        selector?.['drimbox.dev/site'] === 'site-1' &&
        (await look(kube, objectPath('secrets', siteNamespace, 'site-1-pacs-1-vi-key'))) !== undefined
      );
    },
    patience,
  );
  await until('not paused', async () => verdict(await look(kube, sitePath), 'Paused') === 'False NotPaused', patience);
  assert.is((await page(operator.metricsPort)).get(paused), 0);
});

test('the annotation pauses as the spec does, and its end ends it', async () => {
  const { kube } = world;
  await change(kube, sitePath, { metadata: { annotations: { 'drimbox.dev/paused': 'true' } } });
  await until('paused', async () => verdict(await look(kube, sitePath), 'Paused') === 'True Paused', patience);
  assert.is((await page(operator.metricsPort)).get(paused), 1);
  const config = objectPath('configmaps', siteNamespace, 'drimbox-site-1');
  const before = (await look(kube, config))?.metadata.resourceVersion;
  const { metadata } = await change(kube, sitePath, { spec: { structure: { name: 'Nom suivant' } } });
  await until(
    'looked at',
    async () => (await look(kube, sitePath))?.status?.observedGeneration === metadata.generation,
    patience,
  );
  await quiet();
  assert.is((await look(kube, config))?.metadata.resourceVersion, before);
  await change(kube, sitePath, { metadata: { annotations: { 'drimbox.dev/paused': null } } });
  await until(
    'the change',
    async () => (await look(kube, config))?.data?.['config.json']?.includes('Nom suivant') === true,
    patience,
  );
});

test.run();
