/** What the charts have from elsewhere is what it is there. After a change: node charts/generate.ts, and review the difference. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { find, render } from '../e2e/charts/chart.ts';
import { clusterBootstrap } from '../operator/ingress/cluster-bootstrap.ts';
import { chartBootstrapOptions, generated, generatedForKustomize } from './generate.ts';

const root = join(import.meta.dirname, '..');

test('generated files are as generated, and there are no others', async () => {
  const kustomize = await generatedForKustomize();
  const there = readdirSync(join(root, 'kustomize'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `kustomize/${name}`);
  assert.equal(new Set(there), new Set(Object.keys(kustomize)));
  for (const [path, content] of Object.entries({ ...generated(), ...kustomize }))
    assert.is(readFileSync(join(root, path), 'utf8'), content, `${path}: run node charts/generate.ts`);
});

test('the chart has the three CRDs, and they are those of crds/', async () => {
  const templates = readdirSync(join(root, 'charts/drimbox-crds/templates'));
  assert.equal(templates.toSorted(), ['drimboxsites.yaml', 'pacslinks.yaml', 'trustspaces.yaml']);
  const rendered = await render({ chart: 'drimbox-crds', set: { keep: false } });
  const sources = templates.map((name): unknown => parse(readFileSync(join(root, 'crds', name), 'utf8')));
  const byName = (a: { metadata: { name: string } }, b: { metadata: { name: string } }): number =>
    a.metadata.name.localeCompare(b.metadata.name);
  assert.equal(rendered.toSorted(byName), (sources as typeof rendered).toSorted(byName));
});

for (const values of [
  { maxHeapMiB: 1024, maxConnections: 20_000 },
  { maxHeapMiB: 8192, maxConnections: 400_000 },
])
  test(`Envoy is started with what the operator's own function says: ${JSON.stringify(values)}`, async () => {
    const set = Object.fromEntries(Object.entries(values).map(([name, value]) => [`ingress.${name}`, value]));
    const { data } = find(await render({ set }), 'ConfigMap', 'drimbox-ingress-bootstrap');
    const files = Object.entries(data as Readonly<Record<string, string>>);
    assert.equal(
      Object.fromEntries(files.map(([name, text]) => [name, JSON.parse(text) as unknown])),
      clusterBootstrap(chartBootstrapOptions(values)),
    );
  });

test.run();
