import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type KubeClient, createKubeClient } from '../../resources/kubernetes/client.ts';
import { type FakeApiserver, startFakeApiserver, statusOf } from '../../resources/kubernetes/fake-apiserver.testing.ts';
import { type KubeObject, Secret } from '../../resources/kubernetes/resource-kind.ts';
import { type WritableStore, createStore } from '../../resources/kubernetes/store.ts';
import { type Referenced, followReferenced } from './referenced.ts';

let server: FakeApiserver;
let client: KubeClient;
let metadata: WritableStore<KubeObject>;
let referenced: Referenced;
/** What the API server holds: key to its version. */
let held: Map<string, string>;

const path = (key: string): string => `/api/v1/namespaces/ght/secrets/${key}`;
const secret = (name: string, resourceVersion: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'ght', name, resourceVersion },
});

/** On the server; the watch shows it too, unless it is late. */
function put(name: string, resourceVersion: string, late = false): void {
  held.set(path(name), resourceVersion);
  if (!late) metadata.put(secret(name, resourceVersion));
}

const want = async (...names: readonly string[]): Promise<void> =>
  await referenced.want(new Set(names.map((name) => `ght/${name}`)));
const gets = (): string[] => server.seen.map((seen) => seen.path.replace(/.*\//, ''));
const textOf = (name: string): string | undefined => referenced.contents().get(`ght/${name}`)?.['value']?.toString();

test.before.each(async () => {
  server = await startFakeApiserver();
  client = createKubeClient({ access: server.access, qps: 10_000, burst: 10_000 });
  metadata = createStore<KubeObject>();
  held = new Map();
  server.other = ({ path: asked }) => {
    const version = held.get(asked);
    if (version === undefined) return { status: 404, body: statusOf(404, 'NotFound') };
    const data = { value: Buffer.from(`of ${version}`).toString('base64') };
    return { status: 200, body: { ...secret(asked.replace(/.*\//, ''), version), data } };
  };
  referenced = followReferenced(client, Secret, metadata);
});

test.after.each(async () => {
  await client.close();
  await server.stop();
});

test('only what is named is fetched, once, and forgotten when nobody names it any more', async () => {
  for (const name of ['a', 'b', 'c']) put(name, '1');
  await want('a', 'b');
  assert.equal(gets().toSorted(), ['a', 'b']);
  await want('a', 'b');
  assert.is(gets().length, 2);
  assert.is(textOf('a'), 'of 1');
  assert.equal([referenced.names('ght/a'), referenced.names('ght/c')], [true, false]);
  await want('a');
  assert.equal([...referenced.contents().keys()], ['ght/a']);
  await want('a', 'b');
  assert.is(gets().length, 3);
});

test('what changes is fetched again, and the others stay the very same', async () => {
  for (const name of ['a', 'b']) put(name, '1');
  await want('a', 'b');
  const former = referenced.contents();
  put('a', '7');
  await want('a', 'b');
  assert.equal(gets().toSorted(), ['a', 'a', 'b']);
  assert.is(textOf('a'), 'of 7');
  assert.is(referenced.contents().get('ght/b'), former.get('ght/b'));
  const contents = referenced.contents();
  await want('a', 'b');
  assert.is(referenced.contents(), contents);
});

test('a GET that was ahead of the watch is not done again when the watch catches up', async () => {
  put('a', '9');
  put('a', '12', true);
  await want('a');
  assert.is(textOf('a'), 'of 12');
  metadata.put(secret('a', '12'));
  await want('a');
  // Versions are numbers, not words: 9 comes before 12.
  metadata.put(secret('a', '10'));
  await want('a');
  assert.is(gets().length, 1);
  put('a', '100');
  await want('a');
  assert.is(textOf('a'), 'of 100');
});

test('what does not exist is not asked for; gone before it was fetched it is absent, not a fault', async () => {
  await want('none');
  assert.equal(gets(), []);
  metadata.put(secret('gone', '1'));
  await want('gone');
  assert.equal(gets(), ['gone']);
  assert.is(textOf('gone'), undefined);
  put('a', '1');
  await want('a');
  metadata.delete('ght/a');
  await want('a');
  assert.is(textOf('a'), undefined);
});

test('an API server that does not answer is a fault, and what was had stays', async () => {
  put('a', '1');
  await want('a');
  server.other = () => ({ status: 403, body: statusOf(403, 'Forbidden') });
  metadata.put(secret('a', '2'));
  let failed = false;
  await want('a').catch(() => (failed = true));
  assert.ok(failed);
  assert.is(textOf('a'), 'of 1');
});

test.run();
