/** What alerts and dashboards ask for exists: series of the programs and of the real Envoy with the chart's bootstrap, runbooks, pods. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findEnvoy } from '../parts/envoy.ts';
import { freePort } from '../parts/ports.ts';
import { startProcess } from '../parts/process.ts';
import { find, render } from './chart.ts';
import { asked, rules } from './expressions.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'drimbox-monitoring-'));
test.after(() => rmSync(folder, { recursive: true }));

test('every series of ours that is asked for is one that operator or gateway have', () => {
  const sources = ['operator/observability', 'gateway/journal'].flatMap((room) =>
    readdirSync(join(root, room))
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => read(join(room, name))),
  );
  const made = new Set(sources.flatMap((text) => [...text.matchAll(/'([a-z_]+)'/g)].map((match) => match[1])));
  const ours = [...asked].filter((name) => !name.startsWith('envoy_'));
  assert.ok(ours.length > 10);
  assert.equal(
    ours.filter((name) => !made.has(name)),
    [],
  );
});

test('the real Envoy takes the bootstrap of the chart, and has every series of its own that is asked for', async () => {
  const { data } = find(await render(), 'ConfigMap', 'drimbox-ingress-bootstrap');
  const [admin, probe] = [await freePort(), await freePort()];
  const identity = join(folder, 'identity');
  mkdirSync(identity);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'tls.key'];
  const options = { cwd: identity, stdio: 'ignore' } as const;
  execFileSync('openssl', ['req', '-x509', ...key, '-out', 'tls.crt', '-subj', '/CN=proxy', '-days', '2'], options);
  writeFileSync(join(identity, 'ca.crt'), readFileSync(join(identity, 'tls.crt')));
  for (const [name, text] of Object.entries(data as Readonly<Record<string, string>>)) {
    const here = text
      .replaceAll('/etc/drimbox/identity', identity)
      .replaceAll('/etc/drimbox/envoy', folder)
      .replaceAll('"drimbox-operator"', '"127.0.0.1"')
      .replaceAll('0.0.0.0', '127.0.0.1')
      .replaceAll('19000', String(admin))
      .replaceAll('19001', String(probe));
    writeFileSync(join(folder, name), here);
  }
  const page = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${admin}/stats/prometheus`)).text();
  const envoy = await startProcess({
    name: 'envoy',
    command: findEnvoy(),
    args: ['--config-path', join(folder, 'bootstrap.json'), '--service-node', 'pod-1', '--disable-hot-restart'],
    logFile: join(folder, 'envoy.log'),
    ready: async () => (await page()).includes('envoy_sds_update_success'),
  });
  try {
    // Of sockets towards the control plane here; of the public listener they are the same, by another prefix.
    const has = (await page()).replaceAll('envoy_cluster_client_ssl', 'envoy_listener_server_ssl');
    const theirs = [...asked].filter((name) => name.startsWith('envoy_'));
    assert.ok(theirs.length >= 5);
    assert.equal(
      theirs.filter((name) => !new RegExp(`^${name}\\{`, 'm').test(has)),
      [],
    );
  } finally {
    await envoy.stop();
  }
});

test('every alert has a severity, words, and a runbook that exists; every runbook has its alert', () => {
  const anchors = [...read('docs/runbooks.md').matchAll(/^## (.+)$/gm)].map((match) => match[1]?.toLowerCase());
  const named = new Set(rules.map(({ annotations }) => annotations.runbook_url.split('#')[1]));
  assert.equal(named, new Set(anchors));
  for (const { alert, labels, annotations } of rules) {
    assert.ok(['warning', 'critical'].includes(labels.severity ?? ''), alert);
    assert.ok(annotations.summary.length > 20, alert);
  }
});

test('nothing is there when monitoring is off, or the cluster has no such kinds', async () => {
  const kinds = async (enabled: boolean, apiVersions: readonly string[]): Promise<string[]> =>
    (await render({ set: { 'monitoring.enabled': enabled }, apiVersions }))
      .map(({ kind }) => kind)
      .filter((kind) => /Monitor|PrometheusRule/.test(kind));
  const known = ['monitoring.coreos.com/v1/PodMonitor', 'monitoring.coreos.com/v1/PrometheusRule'];
  assert.equal(await kinds(false, known), []);
  assert.equal(await kinds(true, []), []);
  assert.is((await kinds(true, known)).length, 4);
});

test('the ports that are asked for metrics are those of the pods, by name', async () => {
  const objects = await render({
    set: { 'monitoring.enabled': true },
    apiVersions: ['monitoring.coreos.com/v1/PodMonitor'],
  });
  for (const name of ['drimbox-operator', 'drimbox-ingress']) {
    const monitor = find(objects, 'PodMonitor', name)['spec'] as {
      readonly podMetricsEndpoints: readonly [{ readonly port: string }];
    };
    const deployment = JSON.stringify(find(objects, 'Deployment', name));
    assert.ok(deployment.includes(`{"name":"${monitor.podMetricsEndpoints[0].port}","containerPort"`), name);
  }
});

test.run();
