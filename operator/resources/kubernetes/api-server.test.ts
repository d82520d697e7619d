/** Reading, watching and leading on a real kube-apiserver: storms, a compacted past, frozen leaders. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { configMap, type RealApiserver, startRealApiserver } from './api-server.testing.ts';
import { createApplier } from './apply.ts';
import { createKubeClient, type KubeClient } from './client.ts';
import { until } from './fake-apiserver.testing.ts';
import { kubeconfigAccess } from './kubeconfig-access.ts';
import type { LeaseObject } from './lease.ts';
import { type Reflector, startReflector } from './reflector.ts';
import * as kinds from './resource-kind.ts';
import { type KubeObject, keyOf, pathOf } from './resource-kind.ts';

let server: RealApiserver;
let client: KubeClient;
const errors: unknown[] = [];

test.before(async () => {
  server = await startRealApiserver();
  client = await server.client();
});
test.after(async () => {
  await client.close();
  await server.stop();
});

function reflect(kind: kinds.ResourceKind): Reflector<KubeObject> {
  const timing = { backoffMs: 50, maxBackoffMs: 500 };
  return startReflector({
    client,
    kind,
    namespaces: 'all',
    timing,
    onError: (error) => errors.push(error),
  });
}

/** What the API server itself says there is, as key and resourceVersion. */
async function truth(kind: kinds.ResourceKind): Promise<string[]> {
  const { items } = await client.request<{ readonly items: readonly KubeObject[] }>({
    method: 'GET',
    path: pathOf(kind),
  });
  return items.map(versioned).toSorted();
}

const versioned = (object: KubeObject): string => `${keyOf(object)} ${object.metadata.resourceVersion ?? ''}`;

test('two hundred requests over TLS open a handful of connections, each with the material of that moment', async () => {
  const access = await kubeconfigAccess(server.kube.kubeconfigFile);
  let opened = 0;
  const tls = (): ReturnType<typeof access.tls> => {
    opened += 1;
    return access.tls();
  };
  const counted = createKubeClient({ access: { ...access, tls }, qps: 5_000, burst: 5_000 });
  const get = async (): Promise<unknown> => await counted.request({ method: 'GET', path: pathOf(kinds.Namespace) });
  for (let count = 0; count < 100; count += 1) await get();
  // The pool may take a second one before the first is quite free again.
  assert.ok(opened <= 2, `${opened} connections for requests one after the other`);
  await Promise.all(Array.from({ length: 100 }, get));
  assert.ok(opened <= 8, `${opened} connections`);
  await counted.close();
});

test('two thousand changes in a storm: the store ends as the server does', async () => {
  const reflector = reflect(kinds.ConfigMap);
  await reflector.synced;
  const applier = createApplier({ client, live: () => undefined });
  const work = async (lane: number): Promise<void> => {
    for (let step = 0; step < 125; step += 1) {
      const name = `storm-${(lane * 125 + step) % 200}`;
      if (step % 5 === 4) await applier.remove(kinds.ConfigMap, `default/${name}`);
      else await applier.apply(kinds.ConfigMap, configMap(name, { step: `${lane}-${step}` }));
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, lane) => work(lane)));
  const expected = await truth(kinds.ConfigMap);
  const same = (): boolean => reflector.store.list().map(versioned).toSorted().join() === expected.join();
  await until('the store is what the server says', same);
  await reflector.stop();
});

test('metadata only: no data of a Secret is ever held', async () => {
  const body = { ...configMap('hidden'), kind: 'Secret', data: { key: 'c2VjcmV0' } };
  await client.request({ method: 'POST', path: pathOf(kinds.Secret, 'default'), body });
  const reflector = startReflector({ client, kind: kinds.Secret, namespaces: ['default'], metadataOnly: true });
  await reflector.synced;
  const metadata = { ...body.metadata, labels: { changed: 'yes' } };
  await client.request({ method: 'PUT', path: pathOf(kinds.Secret, 'default', 'hidden'), body: { ...body, metadata } });
  await until('heard', () => reflector.store.get('default/hidden')?.metadata.labels?.['changed'] === 'yes');
  assert.equal(Object.keys(reflector.store.get('default/hidden') ?? {}).toSorted(), ['apiVersion', 'kind', 'metadata']);
  await reflector.stop();
});

test('leaders: one at a time, the next at once after a clean stop, and after the lease when one freezes or is killed', async () => {
  const electors = new Map<string, Elector>();
  const start = (name: string): Elector => {
    const elector = startElector(server.kube.kubeconfigFile, name);
    electors.set(name, elector);
    return elector;
  };
  try {
    const a = start('a');
    await until('a leads', () => a.said.includes('leading'));
    const b = start('b');
    const holder = async (): Promise<LeaseObject> =>
      await client.request({ method: 'GET', path: pathOf(kinds.Lease, 'default', 'electors') });
    assert.match((await holder()).spec?.renewTime ?? '', /\.\d{6}Z$/);
    a.child.kill('SIGSTOP');
    await until('b leads once the lease of a has run out', () => b.said.includes('leading'));
    a.child.kill('SIGCONT');
    assert.is(await a.ended, 3);
    assert.match(a.said, 'lost, leader false');
    const c = start('c');
    b.child.kill('SIGTERM');
    assert.is(await b.ended, 0);
    assert.match(b.said, 'stopped');
    await until('c leads', () => c.said.includes('leading'));
    const d = start('d');
    c.child.kill('SIGKILL');
    await until('d leads', () => d.said.includes('leading'));
    const { spec } = await holder();
    assert.is(spec?.holderIdentity, 'd');
    assert.is(spec?.leaseTransitions, 3);
    d.child.kill('SIGTERM');
    await d.ended;
    assert.is((await holder()).spec?.holderIdentity, '');
  } finally {
    for (const { child } of electors.values()) child.kill('SIGKILL');
  }
});

interface Elector {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  said: string;
}

function startElector(kubeconfig: string, name: string): Elector {
  const file = join(import.meta.dirname, 'elector.testing.ts');
  const child = spawn(process.execPath, [file, kubeconfig, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const elector: Elector = { child, ended, said: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    elector.said += chunk.toString();
  });
  return elector;
}

// Last: it kills the API server.
test('killed, changed behind its back, compacted and started again: told 410, relisted, what is gone is gone', async () => {
  const relists: string[] = [];
  const changes: string[] = [];
  const applier = createApplier({ client, live: () => undefined });
  for (const name of ['stays', 'goes']) await applier.apply(kinds.ConfigMap, configMap(name));
  const reflector = startReflector({
    client,
    kind: kinds.ConfigMap,
    namespaces: 'all',
    timing: { backoffMs: 50, maxBackoffMs: 500 },
    onChange: ({ type, object }) => changes.push(`${type} ${object.metadata.name}`),
    onError: (error) => errors.push(error),
    hooks: { relisted: (reason) => relists.push(reason) },
  });
  await reflector.synced;
  const stays = reflector.store.get('default/stays');
  changes.length = 0;
  await server.kill();
  const key = Buffer.from('/registry/configmaps/default/goes').toString('base64');
  const { header } = (await server.etcd('/v3/kv/deleterange', { key })) as {
    readonly header: { readonly revision: string };
  };
  await server.etcd('/v3/kv/compaction', { revision: header.revision, physical: true });
  await server.restart();
  await until('relisted', () => relists.length > 0);
  await until('it is gone', () => reflector.store.get('default/goes') === undefined);
  assert.equal(changes, ['deleted goes']);
  assert.is(reflector.store.get('default/stays'), stays);
  await applier.apply(kinds.ConfigMap, configMap('after'));
  await until('it hears again', () => reflector.store.get('default/after') !== undefined);
  await reflector.stop();
});

test.run();
