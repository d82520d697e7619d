/** Many changes at once, and somebody else who writes the operator's fields: in the end everything says the last that was wished. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type RegionWorld, openRegionWorld, siteNamespace } from '../bench/region-world.ts';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import { inParallel, pathOf } from '../parts/region.ts';
import { allReady, change, look, objectPath, page, patience, settled, verdict } from './kubernetes-seen.ts';
import { until } from './site.ts';

const sites = 10;
const pacs = 5;
const changes = 300;

let world: RegionWorld;
let operator: ClusterOperatorPart;

const sitesOf = Array.from({ length: sites }, (_, index) => `site-${index + 1}`);
const links = sitesOf.flatMap((site) =>
  Array.from({ length: pacs }, (_, index) => ({ site, name: `${site}-pacs-${index + 1}` })),
);

interface ConfigSeen {
  readonly pacs: readonly { readonly name: string; readonly host?: string }[];
}

test.before(async () => {
  world = await openRegionWorld({ sites, pacs });
  operator = await world.startOperator('operator-a');
  await world.startEnvoy([operator]);
  await world.applySites(sites);
  await until('every site and link Ready', async () => await allReady(world), patience);
});

test.after(async () => {
  await world.stop();
});

test('three hundred changes and another writer of the same fields end in the last state, and the queue is empty', async () => {
  const { kube } = world;
  const last = new Map<string, string>();
  const storm = inParallel([...Array(changes).keys()], async (turn) => {
    const link = links[turn % links.length];
    if (link === undefined) return;
    const host = `192.0.2.${(turn % 200) + 20}`;
    await change(kube, pathOf('PacsLink', siteNamespace, link.name), { spec: { node: { host } } });
  });
  const stopped = new AbortController();
  const rival = (async () => {
    while (!stopped.signal.aborted) {
      for (const site of sitesOf) {
        const path = objectPath('statefulsets', siteNamespace, `drimbox-${site}`);
        await change(kube, path, { spec: { replicas: 3 } }, 'rival');
      }
      await sleep(50);
    }
  })();
  await storm;
  stopped.abort();
  await rival;
  for (const { name } of links) {
    const seen = await look(kube, pathOf('PacsLink', siteNamespace, name));
    const node = seen?.spec['node'] as { readonly host: string } | undefined;
    last.set(name, node?.host ?? '');
  }
  assert.is(last.size, sites * pacs);
  await until(
    'every config as last wished, every StatefulSet as it was',
    async () => {
      for (const site of sitesOf) {
        const map = await look(kube, objectPath('configmaps', siteNamespace, `drimbox-${site}`));
        const text = map?.data?.['config.json'] ?? '{}';
        for (const { site: of, name } of links)
          if (of === site && !text.includes(`"${last.get(name) ?? ''}"`)) return false;
        const set = await look(kube, objectPath('statefulsets', siteNamespace, `drimbox-${site}`));
        if (set?.spec['replicas'] !== 1) return false;
      }
      return true;
    },
    patience,
  );
  await until('every site and link Ready', async () => await allReady(world), patience);
  await settled(world.kube, operator.metricsPort);
  for (const { site, name } of links) {
    const text =
      (await look(kube, objectPath('configmaps', siteNamespace, `drimbox-${site}`)))?.data?.['config.json'] ?? '{}';
    const config = JSON.parse(text) as ConfigSeen;
    assert.match(JSON.stringify(config.pacs.find((one) => one.name === name)), `"${last.get(name) ?? ''}"`, name);
    assert.is(verdict(await look(kube, pathOf('PacsLink', siteNamespace, name)), 'Ready'), 'True Ready', name);
  }
  assert.is((await page(operator.metricsPort)).get('workqueue_depth{name="drimbox"}'), 0);
});

test.run();
