/** The chart on a real node, in a namespace that is restricted: it starts by itself, and the kubelet lets a proxy say goodbye. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildImages } from '../cluster/images.ts';
import { type Cluster, startCluster } from '../parts/cluster/single-node.ts';
import { findEnvoy } from '../parts/envoy.ts';

const root = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'drimbox-chart-'));
process.env['DRIMBOX_ENVOY'] ??= findEnvoy();
const cluster: Cluster = await startCluster({ images: await buildImages() });
test.after(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

const inside = ['--namespace', 'drimbox'];

test('two operators and a proxy start and find each other under PodSecurity restricted', async () => {
  await cluster.kubectl('create', 'namespace', 'drimbox');
  await cluster.kubectl('label', 'namespace', 'drimbox', 'pod-security.kubernetes.io/enforce=restricted');
  await cluster.helm('install', 'drimbox-crds', join(root, 'charts/drimbox-crds'), ...inside);
  const values = [
    ...['operator', 'gateway', 'envoy'].map((image) => `images.${image}.pullPolicy=Never`),
    'ingress.replicas=1',
    'ingress.service.type=NodePort',
    'ingress.goodbyeSeconds=2',
    'ingress.drainSeconds=30',
  ];
  await cluster.helm(
    'install',
    'drimbox',
    join(root, 'charts/drimbox'),
    ...inside,
    ...values.flatMap((value) => ['--set', value]),
  );
  for (const name of ['drimbox-operator', 'drimbox-ingress'])
    await cluster.kubectl(...inside, 'rollout', 'status', `deployment/${name}`, '--timeout=120s');
  // On whichever replica: the proxy reached it by name, each sure of the other.
  const selector = ['--selector', 'app.kubernetes.io/name=drimbox-operator', '--tail=-1'];
  const connected = async (): Promise<boolean> =>
    (await cluster.kubectl(...inside, 'logs', ...selector)).includes('"proxies connected"');
  for (let attempt = 0; attempt < 100 && !(await connected()); attempt += 1) await sleep(200);
  assert.ok(await connected());
});

test('a proxy that is told to go is drained before it ends, well within its time', async () => {
  const selector = ['--selector', 'app.kubernetes.io/name=drimbox-ingress', '--output', 'name'];
  const pod = (await cluster.kubectl(...inside, 'get', 'pods', ...selector)).trim();
  // Ends with its container, so nothing of it is missed.
  const told = cluster.kubectl(...inside, 'logs', '--follow', pod, '--container', 'drain');
  await cluster.kubectl(...inside, 'delete', pod, '--wait=true', '--timeout=60s');
  const words = (await told)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string });
  assert.is(words.length, 2);
  assert.ok(
    words.every(({ level }) => level === 'info'),
    JSON.stringify(words),
  );
  assert.match(words[0]?.msg ?? '', /told to go/);
  await cluster.kubectl(...inside, 'rollout', 'status', 'deployment/drimbox-ingress', '--timeout=60s');
});

test.run();
