/** The gateway's series: each is in docs/operations.md, and each exists before anything happened. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createMetrics } from './metrics.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');

test('docs/operations.md has each series of the gateway', () => {
  const [, after = ''] = page.split('<!-- gateway metrics:');
  const rows = after.slice(after.indexOf('|')).split('\n\n')[0]?.split('\n').slice(2) ?? [];
  const written = rows.map((row) => /^\| `(\w+)` \|/.exec(row)?.[1]);
  const names = createMetrics({ ris: [], pacs: [] })
    .registry.getMetricsAsArray()
    .map(({ name }) => name);
  assert.equal(new Set(written), new Set(names.filter((name) => name.startsWith('drimbox_'))));
  assert.is(new Set(written).size, written.length);
});

test('the series of each RIS and PACS are there at zero', async () => {
  const text = await createMetrics({ ris: ['ris-a'], pacs: ['pacs-a'] }).registry.metrics();
  for (const series of [
    'drimbox_messages_total{ris="ris-a",outcome="refused"} 0',
    'drimbox_pacs_queries_total{pacs="pacs-a",outcome="error"} 0',
    'drimbox_retrieves_total{pacs="pacs-a",outcome="error",code="E1005"} 0',
    'drimbox_publications_total{outcome="failed",code="E007"} 0',
  ])
    assert.ok(text.split('\n').includes(series), series);
});

test.run();
