/** Writing to a real kube-apiserver: what it accepts, changes and refuses, and with which rights. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inClusterAccess } from './access.ts';
import { configMap, type RealApiserver, startRealApiserver } from './api-server.testing.ts';
import { type ApplyObject, createApplier } from './apply.ts';
import { createKubeClient, KubeError, type KubeClient } from './client.ts';
import { createEventRecorder } from './events.ts';
import { until } from './fake-apiserver.testing.ts';
import { startReflector } from './reflector.ts';
import * as kinds from './resource-kind.ts';
import { type KubeObject, pathOf } from './resource-kind.ts';

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

test('apply: skipped while nothing differs, repaired when another changed what is ours', async () => {
  const reflector = startReflector({ client, kind: kinds.StatefulSet, namespaces: ['default'] });
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

test('of kinds that count their changes metadata are enough to see that another changed what is ours', async () => {
  const kind = kinds.NetworkPolicy;
  const reflector = startReflector({ client, kind, namespaces: ['default'], metadataOnly: true });
  await reflector.synced;
  const applier = createApplier({ client, live: (_kind, key) => reflector.store.get(key) });
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'gateway', namespace: 'default', labels: { app: 'gateway' } },
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  };
  const path = pathOf(kind, 'default', 'gateway');
  const outcomeAfter = async (body: object): Promise<string> => {
    const contentType = 'application/merge-patch+json';
    const { metadata } = await client.request<KubeObject>({ method: 'PATCH', path, body, contentType });
    await until(
      'the reflector has it',
      () => reflector.store.get('default/gateway')?.metadata.resourceVersion === metadata.resourceVersion,
    );
    return (await applier.apply(kind, policy)).outcome;
  };
  assert.is((await applier.apply(kind, policy)).outcome, 'applied');
  assert.is(await outcomeAfter({ metadata: { annotations: { theirs: 'yes' } } }), 'unchanged');
  assert.is(await outcomeAfter({ metadata: { labels: { app: 'other' } } }), 'applied');
  assert.is(await outcomeAfter({ spec: { policyTypes: ['Egress'] } }), 'applied');
  const { spec } = await client.request<KubeObject & { readonly spec: object }>({ method: 'GET', path });
  assert.equal(spec, policy.spec);
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

test.run();
