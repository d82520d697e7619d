/** Everything of this folder on a real kube-apiserver: what it accepts, refuses and forgets. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inClusterAccess } from './access.ts';
import { type RealApiserver, startRealApiserver } from './api-server.testing.ts';
import { type ApplyObject, createApplier } from './apply.ts';
import { createKubeClient, KubeError, type KubeClient } from './client.ts';
import { createEventRecorder } from './events.ts';
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
  client = createKubeClient({ access: await kubeconfigAccess(server.kube.kubeconfigFile), qps: 5_000, burst: 5_000 });
});
test.after(async () => {
  await client.close();
  await server.stop();
});

const configMap = (name: string, data: Record<string, string> = {}): ApplyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

function reflect(kind: kinds.ResourceKind, options: { readonly fieldSelector?: string } = {}): Reflector<KubeObject> {
  const timing = { backoffMs: 50, maxBackoffMs: 500 };
  return startReflector({
    client,
    kind,
    namespaces: 'all',
    timing,
    onError: (error) => errors.push(error),
    ...options,
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

test('apply: skipped while nothing differs, repaired when another changed what is ours', async () => {
  const reflector = reflect(kinds.StatefulSet);
  await reflector.synced;
  const outcomes: string[] = [];
  const applier = createApplier({
    client,
    live: (_kind, key) => reflector.store.get(key),
    onOutcome: (_kind, outcome) => outcomes.push(outcome),
  });
  const set = statefulSet('1000m');
  const key = 'default/gateway';
  const seen = async (version: string | undefined): Promise<void> =>
    await until('the reflector has it', () => reflector.store.get(key)?.metadata.resourceVersion === version);
  const first = await applier.apply(kinds.StatefulSet, set);
  assert.is(first.outcome, 'applied');
  // 1000m is stored as 1, and dozens of defaults are filled in: neither is drift.
  if (first.outcome === 'applied') await seen(first.object.metadata.resourceVersion);
  assert.is((await applier.apply(kinds.StatefulSet, statefulSet('1000m'))).outcome, 'unchanged');
  assert.is(
    (await applier.applyStatus(kinds.StatefulSet, key, { replicas: 1, observedGeneration: 1 })).outcome,
    'applied',
  );
  await until('status came', () => JSON.stringify(reflector.store.get(key)).includes('"observedGeneration":1'));
  assert.is(
    (await applier.applyStatus(kinds.StatefulSet, key, { observedGeneration: 1, replicas: 1 })).outcome,
    'unchanged',
  );
  assert.is((await applier.apply(kinds.StatefulSet, set)).outcome, 'unchanged');
  const patch = async (body: object): Promise<void> => {
    const contentType = 'application/merge-patch+json';
    const path = pathOf(kinds.StatefulSet, 'default', 'gateway');
    await seen(
      (await client.request<KubeObject>({ method: 'PATCH', path, body, contentType })).metadata.resourceVersion,
    );
  };
  await patch({ metadata: { labels: { theirs: 'yes' } } });
  assert.is((await applier.apply(kinds.StatefulSet, set)).outcome, 'unchanged');
  await patch({ spec: { replicas: 5 } });
  assert.is((await applier.apply(kinds.StatefulSet, set)).outcome, 'applied');
  const path = pathOf(kinds.StatefulSet, 'default', 'gateway');
  const { spec } = await client.request<KubeObject & { readonly spec: { readonly replicas: number } }>({
    method: 'GET',
    path,
  });
  assert.is(spec.replicas, 1);
  assert.equal(outcomes, ['applied', 'unchanged', 'applied', 'unchanged', 'unchanged', 'unchanged', 'applied']);
  await reflector.stop();
});

function statefulSet(cpu: string, serviceName = 'gateway'): ApplyObject {
  const labels = { app: 'gateway' };
  const containers = [
    { name: 'gateway', image: 'gateway:1', resources: { limits: { cpu } }, env: [{ name: 'B', value: '2' }] },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'gateway', namespace: 'default', labels },
    spec: {
      replicas: 1,
      serviceName,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

test('every refusal of apply has its own name, and the words of the API server', async () => {
  const applier = createApplier({ client, live: () => undefined });
  const refusal = async (kind: kinds.ResourceKind, object: ApplyObject, options = {}): Promise<string> => {
    const outcome = await applier.apply(kind, object, options);
    return 'message' in outcome ? `${outcome.outcome}: ${outcome.fields.join()} ${outcome.message}` : outcome.outcome;
  };
  await applier.apply(kinds.StatefulSet, statefulSet('1'));
  assert.match(await refusal(kinds.StatefulSet, statefulSet('1', 'other')), /^immutable: spec .*forbidden/);
  await applier.apply(kinds.ConfigMap, configMap('owned', { a: '1' }), { manager: 'another' });
  assert.match(
    await refusal(kinds.ConfigMap, configMap('owned', { a: '2' }), { force: false }),
    /^conflict: \.data\.a .*"another"/,
  );
  assert.is(await refusal(kinds.ConfigMap, configMap('owned', { a: '2' })), 'applied');
  const unknown = { ...configMap('odd'), datum: {} };
  assert.match(await refusal(kinds.ConfigMap, unknown), /^invalid: .*datum/);
  const elsewhere = { ...configMap('lost'), metadata: { name: 'lost', namespace: 'nowhere' } };
  assert.match(await refusal(kinds.ConfigMap, elsewhere), /^absent: .*nowhere/);
  const ending = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ending' } };
  await applier.apply(kinds.Namespace, ending);
  // No controller ends it here, so it stays Terminating.
  await applier.remove(kinds.Namespace, 'ending');
  const late = { ...configMap('late'), metadata: { name: 'late', namespace: 'ending' } };
  assert.match(await refusal(kinds.ConfigMap, late), /^terminating: .*being terminated/);
  assert.match((await applier.applyStatus(kinds.StatefulSet, 'default/none', { replicas: 0 })).outcome, 'absent');
});

test('a policy that says no is a refusal, not a failure', async () => {
  const base = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic';
  const matchConstraints = {
    resourceRules: [
      { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
    ],
  };
  const validations = [{ expression: `!object.metadata.name.startsWith('evil')`, message: 'no evil here' }];
  await client.request({
    method: 'POST',
    path: `${base}ies`,
    body: { metadata: { name: 'good' }, spec: { matchConstraints, validations } },
  });
  await client.request({
    method: 'POST',
    path: `${base}ybindings`,
    body: { metadata: { name: 'good' }, spec: { policyName: 'good', validationActions: ['Deny'] } },
  });
  const applier = createApplier({ client, live: () => undefined });
  let outcome = await applier.apply(kinds.ConfigMap, configMap('evil-0'));
  // The API server takes up a new policy within a second or so.
  for (let count = 1; outcome.outcome === 'applied' && count < 100; count += 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    outcome = await applier.apply(kinds.ConfigMap, configMap(`evil-${count}`));
  }
  assert.is(outcome.outcome, 'refused');
  assert.match('message' in outcome ? outcome.message : '', 'no evil here');
});

test('remove tells what was there: the object, nothing, or another of its name', async () => {
  const applier = createApplier({ client, live: () => undefined });
  await applier.apply(kinds.ConfigMap, configMap('short-lived'));
  const key = 'default/short-lived';
  assert.is(await applier.remove(kinds.ConfigMap, key, { uid: 'of-the-one-before' }), 'replaced');
  assert.is(await applier.remove(kinds.ConfigMap, key), 'removed');
  assert.is(await applier.remove(kinds.ConfigMap, key), 'absent');
});

test('a service account has its token and no more rights than it was given; a rotated token is taken up at 401', async () => {
  const body = { ...configMap('operator'), kind: 'ServiceAccount', data: undefined };
  await client.request({ method: 'POST', path: pathOf(kinds.ServiceAccount, 'default'), body });
  const { status } = await client.request<{ readonly status: { readonly token: string } }>({
    method: 'POST',
    path: pathOf(kinds.ServiceAccount, 'default', 'operator', 'token'),
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } },
  });
  const folder = join(server.kube.directory, 'serviceaccount');
  mkdirSync(folder);
  writeFileSync(join(folder, 'token'), 'of.last.year');
  writeFileSync(join(folder, 'namespace'), 'default');
  writeFileSync(join(folder, 'ca.crt'), readFileSync(join(server.kube.directory, 'pki/ca.crt')));
  const { hostname, port } = new URL(server.kube.url);
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  const own = createKubeClient({ access: inClusterAccess({ folder, env }) });
  const list = { method: 'GET', path: pathOf(kinds.ConfigMap, 'default') } as const;
  const statusOf = async (): Promise<number> =>
    await own.request(list).then(
      () => 200,
      (error: unknown) => (error instanceof KubeError ? error.status : -1),
    );
  assert.is(await statusOf(), 401);
  writeFileSync(join(folder, 'token'), `${status.token}\n`);
  assert.is(await statusOf(), 403);
  const outcome = await createApplier({ client: own, live: () => undefined }).apply(kinds.ConfigMap, configMap('no'));
  assert.is(outcome.outcome, 'forbidden');
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }];
  await client.request({ method: 'POST', path: `${rbac}/roles`, body: { metadata: { name: 'reader' }, rules } });
  const subjects = [{ kind: 'ServiceAccount', name: 'operator', namespace: 'default' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
  await client.request({
    method: 'POST',
    path: `${rbac}/rolebindings`,
    body: { metadata: { name: 'reader' }, subjects, roleRef },
  });
  for (let count = 0; count < 100 && (await statusOf()) !== 200; count += 1) await new Promise(setImmediate);
  assert.is(await statusOf(), 200);
  await own.close();
});

test('events: one per occurrence, a series for repetitions, in the namespace the API demands', async () => {
  const recorder = createEventRecorder({ client, instance: 'operator-0', onError: (error) => errors.push(error) });
  const site = await client.request<KubeObject>({
    method: 'GET',
    path: pathOf(kinds.StatefulSet, 'default', 'gateway'),
  });
  const space = await client.request<KubeObject>({
    method: 'GET',
    path: pathOf(kinds.Namespace, undefined, 'default'),
  });
  const note = { type: 'Warning', reason: 'WhitelistStale', action: 'Fetch', note: 'é'.repeat(2000) } as const;
  for (let count = 0; count < 7; count += 1) recorder.record({ ...note, regarding: site });
  recorder.record({ ...note, regarding: space, related: site, note: 'short' });
  await recorder.stop();
  assert.equal(
    errors.filter((error) => String(error).includes('events')),
    [],
  );
  const { items } = await client.request<{ readonly items: readonly EventFound[] }>({
    method: 'GET',
    path: pathOf(kinds.Event, 'default'),
  });
  const ours = items.filter(({ reportingController }) => reportingController === 'drimbox.dev/operator');
  assert.equal(ours.map(({ regarding, series }) => `${regarding.kind} ${series?.count ?? 1}`).toSorted(), [
    'Namespace 1',
    'StatefulSet 7',
  ]);
  for (const { eventTime } of ours) assert.match(eventTime, /\.\d{6}Z$/);
});

interface EventFound {
  readonly regarding: { readonly kind: string };
  readonly series?: { readonly count: number };
  readonly eventTime: string;
  readonly reportingController: string;
}

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
