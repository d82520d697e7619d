/** When an apply is left out, and what an error is called: the parts that need no API server. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ApplyObject, createApplier } from './apply.ts';
import { createKubeClient } from './client.ts';
import { configMap, startFakeApiserver, statusOf } from './fake-apiserver.testing.ts';
import { kubeError } from './kube-error.ts';
import { hashOf, project } from './owned-fields.ts';
import { refusalOf } from './refusal.ts';
import { ConfigMap, type KubeObject } from './resource-kind.ts';

test('the order of keys and absent fields do not make a difference, the order of lists does', () => {
  assert.is(hashOf({ a: 1, b: { c: 2, d: undefined } }), hashOf({ b: { c: 2 }, a: 1 }));
  assert.is.not(hashOf({ a: [1, 2] }), hashOf({ a: [2, 1] }));
  assert.is.not(hashOf({ a: '1' }), hashOf({ a: 1 }));
  assert.is.not(hashOf({ a: null }), hashOf({}));
});

test('only what we speak of is compared: defaults of the API server and fields of others are left out', () => {
  const desired = { spec: { ports: [{ name: 'http', port: 80 }], list: ['a'] }, metadata: { labels: { ours: '1' } } };
  const live = {
    spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }], list: ['a'], clusterIP: '10.0.0.1' },
    metadata: { labels: { ours: '1', theirs: '2' }, uid: 'u' },
    status: {},
  };
  assert.is(hashOf(project(live, desired)), hashOf(project(desired, desired)));
});

test('lists of named elements are compared by name, and one more or less shows', () => {
  const desired = {
    env: [
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ],
  };
  const reordered = {
    env: [
      { name: 'b', value: '2', extra: true },
      { name: 'a', value: '1' },
    ],
  };
  const more = { env: [...reordered.env, { name: 'c', value: '3' }] };
  const other = {
    env: [
      { name: 'b', value: '9' },
      { name: 'a', value: '1' },
    ],
  };
  const none = { env: undefined };
  const is = (live: object): boolean => hashOf(project(live, desired)) === hashOf(project(desired, desired));
  assert.equal([reordered, more, other, none].map(is), [true, false, false, false]);
});

test('a kind of error each, and none for what may pass', () => {
  const of = (status: number, reason: string, message = '', details: object = {}): string =>
    refusalOf(kubeError('PATCH /x', status, JSON.stringify(statusOf(status, reason, message, details)), undefined, 0))
      ?.outcome ?? 'thrown';
  const causes = (reason: string): object => ({ causes: [{ reason, field: 'spec' }] });
  assert.is(of(403, 'Forbidden', 'quota'), 'forbidden');
  assert.is(of(403, 'Forbidden', '', causes('NamespaceTerminating')), 'terminating');
  assert.is(of(409, 'Conflict', '', causes('FieldManagerConflict')), 'conflict');
  assert.is(of(409, 'Conflict', 'the object has been modified'), 'thrown');
  assert.is(of(422, 'Invalid', 'field is immutable'), 'immutable');
  assert.is(of(422, 'Invalid', 'must be a number'), 'invalid');
  assert.is(of(400, 'BadRequest', 'admission webhook "a.b" denied the request: no'), 'refused');
  assert.is(of(500, 'InternalError', 'failed calling webhook "a.b": timeout'), 'thrown');
  assert.is(of(500, 'InternalError', '.spec.x: field not declared in schema'), 'invalid');
  assert.is(of(404, 'NotFound'), 'absent');
  for (const status of [401, 429, 500, 503, 504]) assert.is(of(status, ''), 'thrown');
  assert.is(refusalOf(new Error('reset')), undefined);
});

test('an apply is left out only for the very content that was applied, on an object that is still so', async () => {
  const server = await startFakeApiserver();
  const client = createKubeClient({ access: server.access });
  let version = 1;
  let fails = false;
  let live: KubeObject | undefined;
  server.other = ({ method, body }) => {
    if (fails) return { status: 422, body: statusOf(422, 'Invalid') };
    if (method === 'DELETE') return { status: 200, body: {} };
    version += 1;
    const wanted = JSON.parse(body) as KubeObject;
    const metadata = { ...wanted.metadata, resourceVersion: String(version) };
    live = { ...wanted, metadata };
    return { status: 200, body: live };
  };
  const applier = createApplier({ client, live: () => live });
  const outcomes: string[] = [];
  const run = async (value: string): Promise<void> =>
    void outcomes.push((await applier.apply(ConfigMap, configMap('one', value) as ApplyObject)).outcome);
  const drift = (change: (object: KubeObject) => KubeObject): void => {
    version += 1;
    if (live !== undefined)
      live = change({ ...live, metadata: { ...live.metadata, resourceVersion: String(version) } });
  };
  await run('a');
  await run('a');
  await run('b');
  await run('a');
  drift((object) => ({ ...object, status: {} }) as KubeObject);
  await run('a');
  drift((object) => ({ ...object, data: { value: 'theirs' } }) as KubeObject);
  await run('a');
  live = undefined;
  await run('a');
  fails = true;
  await run('b');
  fails = false;
  // What was refused is not remembered as applied; nor is what came before it.
  await run('a');
  await applier.remove(ConfigMap, 'default/one');
  await run('a');
  assert.equal(outcomes, [
    'applied',
    'unchanged',
    'applied',
    'applied',
    'unchanged',
    'applied',
    'applied',
    'invalid',
    'applied',
    'applied',
  ]);
  await client.close();
  await server.stop();
});

test.run();
