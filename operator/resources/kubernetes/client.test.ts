/** The client against a server that refuses, falls silent and breaks off. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { KubeAccess } from './access.ts';
import {
  createKubeClient,
  type KubeClientOptions,
  KubeError,
  type KubeClient,
  type ObservedRequest,
} from './client.ts';
import { type FakeApiserver, startFakeApiserver, statusOf, until } from './fake-apiserver.testing.ts';
import { ConfigMap, Namespace, pathOf } from './resource-kind.ts';

let server: FakeApiserver;
let client: KubeClient;
const one = pathOf(ConfigMap, 'default', 'one');

test.before.each(async () => {
  server = await startFakeApiserver();
  client = open();
});
test.after.each(async () => {
  await client.close();
  await server.stop();
});

function open(options: Partial<KubeClientOptions> = {}): KubeClient {
  return createKubeClient({ access: server.access, qps: 10_000, burst: 10_000, ...options });
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => assert.unreachable('it should have failed'),
    (error: unknown) => error,
  );
}

test('two hundred requests go over a handful of connections', async () => {
  await Promise.all(Array.from({ length: 200 }, () => client.request({ method: 'GET', path: one })));
  for (let count = 0; count < 50; count += 1) await client.request({ method: 'GET', path: one });
  assert.is(server.seen.length, 250);
  assert.ok(server.connections <= 8, `${server.connections} connections`);
});

test('an error carries what the API server said', async () => {
  server.other = () => ({
    status: 409,
    body: statusOf(409, 'AlreadyExists', 'configmaps "one" already exists', { name: 'one', retryAfterSeconds: 3 }),
  });
  const error = await failure(client.request({ method: 'POST', path: pathOf(ConfigMap, 'default'), body: {} }));
  assert.instance(error, KubeError);
  assert.is(error instanceof KubeError && error.status, 409);
  assert.is(error instanceof KubeError && error.reason, 'AlreadyExists');
  assert.is(error instanceof KubeError && error.details.name, 'one');
  assert.is(error instanceof KubeError && error.retryAfterMs, 3000);
  assert.match(String(error), 'configmaps "one" already exists');
});

test('a page of a proxy instead of a Status is an error with its words', async () => {
  server.script.push({ on: 'any', answer: 403, body: '<html>no entry</html>' });
  const error = await failure(client.request({ method: 'GET', path: one }));
  assert.match(String(error), /403 <html>no entry/);
});

test('a read is repeated after 500, 503, a reset and 429, and gives the answer in the end', async () => {
  for (const answer of [500, 'reset', 429] as const) server.script.push({ on: 'any', answer });
  server.other = () => ({ status: 200, body: { here: true } });
  assert.equal(await client.request({ method: 'GET', path: one }), { here: true });
  assert.is(server.seen.length, 4);
});

test('a read gives up after four attempts', async () => {
  server.other = () => ({ status: 503, body: statusOf(503, 'ServiceUnavailable') });
  const error = await failure(client.request({ method: 'GET', path: one }));
  assert.is(error instanceof KubeError && error.status, 503);
  assert.is(server.seen.length, 4);
});

test('Retry-After is obeyed up to half a minute, beyond that it is the caller who waits', async () => {
  server.script.push({ on: 'any', answer: 429, headers: { 'retry-after': '1' } });
  const startedAt = performance.now();
  await client.request({ method: 'GET', path: one });
  assert.ok(performance.now() - startedAt >= 990, 'it came back before it was told to');
  server.script.push({ on: 'any', answer: 429, headers: { 'retry-after': '3600' } });
  const error = await failure(client.request({ method: 'GET', path: one }));
  assert.is(error instanceof KubeError && error.retryAfterMs, 3_600_000);
});

test('a write is repeated only where twice is the same as once', async () => {
  const send = async (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', body: unknown, contentType?: string) => {
    const before = server.seen.length;
    server.script.push({ on: 'any', answer: 'reset' });
    const request = { method, path: one, body, ...(contentType === undefined ? {} : { contentType }) };
    const done = await client.request(request).then(
      () => true,
      () => false,
    );
    return { done, times: server.seen.length - before };
  };
  assert.equal(await send('POST', {}), { done: false, times: 1 });
  assert.equal(await send('PUT', {}), { done: false, times: 1 });
  assert.equal(await send('PATCH', {}, 'application/merge-patch+json'), { done: false, times: 1 });
  assert.equal(await send('DELETE', {}), { done: false, times: 1 });
  assert.equal(await send('PATCH', {}), { done: true, times: 2 });
  assert.equal(await send('DELETE', { preconditions: { uid: 'u' } }), { done: true, times: 2 });
});

test('a server that takes a request and never answers is given up, on its own connection', async () => {
  server.script.push({ on: 'any', answer: 'silent' });
  const error = await failure(client.request({ method: 'POST', path: one, body: {}, timeoutMs: 100 }));
  assert.is(error instanceof Error && error.name, 'KubeTimeout');
  await until('the silent connection is closed', () => server.openConnections === 0);
});

test('requests that hang do not hold up an urgent one', async () => {
  for (let count = 0; count < 8; count += 1) server.script.push({ on: 'any', answer: 'silent' });
  const abort = new AbortController();
  const hanging = Array.from({ length: 8 }, () =>
    failure(client.request({ method: 'GET', path: one, signal: abort.signal })),
  );
  await until('all hang', () => server.seen.length === 8);
  await client.request({ method: 'GET', path: one, urgent: true });
  abort.abort(new Error('enough'));
  for (const error of await Promise.all(hanging)) assert.match(String(error), 'enough');
});

test('pacing holds back all but the urgent', async () => {
  await client.close();
  client = open({ qps: 20, burst: 2 });
  const startedAt = performance.now();
  const paced = Array.from({ length: 6 }, () => client.request({ method: 'GET', path: one }));
  await client.request({ method: 'GET', path: one, urgent: true });
  assert.ok(server.seen.length <= 4, 'the urgent one had to wait for the paced ones');
  await Promise.all(paced);
  // two at once, four at 20 per second
  assert.ok(performance.now() - startedAt >= 190, 'six requests went faster than the bucket fills');
});

test('after 401 the credential is asked for anew, once, even for a write', async () => {
  const tokens: string[] = [];
  let current = 'old';
  const access: KubeAccess = {
    ...server.access,
    authorization: async () => `Bearer ${current}`,
    refused: () => {
      current = 'new';
    },
  };
  await client.close();
  client = open({ access });
  server.other = ({ headers }) => {
    tokens.push(headers.authorization ?? '');
    return headers.authorization === 'Bearer new' ? { status: 201, body: {} } : { status: 401, body: {} };
  };
  await client.request({ method: 'POST', path: one, body: {} });
  assert.equal(tokens, ['Bearer old', 'Bearer new']);
  server.other = () => ({ status: 401, body: {} });
  const before = server.seen.length;
  await failure(client.request({ method: 'GET', path: one }));
  assert.is(server.seen.length - before, 2);
});

test('metrics name verbs and kinds, never objects', async () => {
  const observed: ObservedRequest[] = [];
  await client.close();
  client = open({ onRequest: (request) => observed.push(request) });
  server.script.push({ on: 'any', answer: 404 });
  await failure(client.request({ method: 'GET', path: one }));
  await client.request({ method: 'PATCH', path: `${one}/status`, body: {} });
  await client.request({ method: 'GET', path: pathOf(Namespace) });
  await client.request({ method: 'DELETE', path: pathOf(Namespace, undefined, 'one') });
  assert.equal(
    observed.map(({ verb, resource, status }) => `${verb} ${resource} ${status}`),
    ['get configmaps 404', 'apply configmaps/status 200', 'list namespaces 200', 'delete namespaces 200'],
  );
});

test('a signal ends a request that waits for its turn, and nothing is sent', async () => {
  await client.close();
  client = open({ qps: 0.01, burst: 1 });
  await client.request({ method: 'GET', path: one });
  const abort = new AbortController();
  const waiting = failure(client.request({ method: 'GET', path: one, signal: abort.signal }));
  abort.abort(new Error('stopped'));
  assert.match(String(await waiting), 'stopped');
  assert.is(server.seen.length, 1);
});

test.run();
