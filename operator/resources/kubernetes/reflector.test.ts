/** The reflector against everything a watch can do wrong: what the store holds is what the server holds, in the end. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createKubeClient, type KubeClient } from './client.ts';
import { configMap, type FakeApiserver, startFakeApiserver, statusOf, until } from './fake-apiserver.testing.ts';
import { type Change, type Reflector, type ReflectorOptions, startReflector } from './reflector.ts';
import { ConfigMap, type KubeObject } from './resource-kind.ts';

type Data = KubeObject & { readonly data: { readonly value: string } };

let server: FakeApiserver;
let client: KubeClient;
let reflector: Reflector<Data>;
let changes: string[];
let errors: unknown[];
let relists: string[];
let restarts: string[];

test.before.each(async () => {
  server = await startFakeApiserver();
  client = createKubeClient({ access: server.access, qps: 10_000, burst: 10_000 });
  [changes, errors, relists, restarts] = [[], [], [], []];
});
test.after.each(async () => {
  await reflector.stop();
  await client.close();
  await server.stop();
});

function start(options: Partial<ReflectorOptions<Data>> = {}): Reflector<Data> {
  reflector = startReflector<Data>({
    client,
    kind: ConfigMap,
    namespaces: 'all',
    onChange: (change) => changes.push(words(change)),
    onError: (error) => errors.push(error),
    hooks: { relisted: (reason) => relists.push(reason), watchRestarted: (reason) => restarts.push(reason) },
    ...options,
    timing: { backoffMs: 10, maxBackoffMs: 100, ...options.timing },
  });
  return reflector;
}

const words = ({ type, object, former }: Change<Data>): string =>
  `${type} ${object.metadata.name} ${former === undefined ? '' : `${former.data.value}>`}${object.data.value}`;

const valueOf = (name: string): string | undefined => reflector.store.get(`default/${name}`)?.data.value;

async function watching(count = 1): Promise<void> {
  await reflector.synced;
  await until('the watch is open', () => server.watches === count);
}

test('lists page by page, then hears of every change', async () => {
  for (let at = 0; at < 25; at += 1) server.put(configMap(`c${at}`));
  start({ timing: { pageSize: 10 } });
  await watching();
  assert.is(reflector.store.size, 25);
  assert.is(changes.length, 25);
  changes = [];
  server.put(configMap('c1', 'y'));
  server.put(configMap('new'));
  server.delete('default/c2');
  await until('three changes', () => changes.length === 3);
  assert.equal(changes, ['modified c1 x>y', 'added new x', 'deleted c2 x']);
  const watch = server.seen.find(({ query }) => query.get('watch') === 'true');
  assert.is(watch?.query.get('allowWatchBookmarks'), 'true');
  const seconds = Number(watch?.query.get('timeoutSeconds'));
  assert.ok(seconds >= 290 && seconds <= 590, `${seconds} s`);
});

test('an expired watch, told by status or by an event: a relist, tombstones for what is gone, silence for the rest', async () => {
  for (const name of ['stays', 'changes', 'goes', 'again']) server.put(configMap(name));
  start();
  await watching();
  const same = reflector.store.get('default/stays');
  for (const by of ['status', 'event']) {
    changes = [];
    server.put(configMap('changes', by), true);
    server.delete('default/goes', true);
    server.put(configMap(`came-${by}`), true);
    if (by === 'status') {
      server.script.push({ on: 'watch', answer: 410, body: statusOf(410, 'Expired', 'too old resource version') });
      server.end('close');
    } else server.write(`${JSON.stringify({ type: 'ERROR', object: statusOf(410, 'Expired', 'too old') })}\n`);
    await until('three changes', () => changes.length >= 3);
    await watching();
    assert.equal(changes.length, 3, changes.join());
    assert.ok(changes.includes('deleted goes x'));
    assert.ok(changes.includes(`added came-${by} x`));
    assert.is(valueOf('changes'), by);
    server.put(configMap('goes'));
    await until('it is back', () => valueOf('goes') === 'x');
  }
  assert.is(reflector.store.get('default/stays'), same);
  assert.equal(relists, ['expired', 'expired']);
});

test('an object deleted and made again while nobody listened is two objects', async () => {
  server.put(configMap('one'));
  start();
  await watching();
  changes = [];
  server.delete('default/one', true);
  const { metadata, ...rest } = configMap('one', 'z');
  server.put({ ...rest, metadata: { ...metadata, uid: 'another' } }, true);
  server.write(`${JSON.stringify({ type: 'ERROR', object: statusOf(410, 'Expired') })}\n`);
  await until('two changes', () => changes.length === 2);
  assert.equal(changes, ['deleted one x', 'added one z']);
});

test('a connection reset, an answer 500 and a server that closes at once: the watch goes on where it was', async () => {
  server.put(configMap('one'));
  start();
  await watching();
  const lists = (): number => server.seen.filter(({ query }) => query.has('limit')).length;
  for (const value of ['a', 'b', 'c']) {
    server.script.push({ on: 'watch', answer: 500 }, { on: 'watch', answer: 'reset' });
    server.end(value === 'b' ? 'close' : 'reset');
    await until('the watch broke', () => server.watches === 0);
    await until('the watch is back', () => server.watches === 1);
    server.put(configMap('one', value));
    await until('the change came', () => valueOf('one') === value);
  }
  assert.is(lists(), 1);
  assert.is(server.mostWatches, 1);
  assert.ok(restarts.length >= 3);
});

test('a list that fails is tried again, and the watch begins after it', async () => {
  server.put(configMap('one'));
  for (const answer of [403, 500, 410] as const) server.script.push({ on: 'list', answer });
  start();
  await watching();
  assert.is(valueOf('one'), 'x');
  assert.ok(errors.length >= 2);
});

test('429 on the watch: not before Retry-After', async () => {
  start();
  await watching();
  server.script.push({ on: 'watch', answer: 429, headers: { 'retry-after': '1' } });
  const startedAt = performance.now();
  server.end('reset');
  await until('the refusal', () => server.script.length === 0);
  await until('the watch is back', () => server.watches === 1);
  assert.ok(performance.now() - startedAt >= 990);
});

test('a half-open connection is found out by its silence, and bookmarks keep a quiet watch', async () => {
  start({ timing: { idleMs: 1500 } });
  await watching();
  for (let count = 0; count < 20; count += 1) {
    server.bookmark();
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  assert.is(restarts.length, 0);
  const from = Number(server.seen.at(-1)?.query.get('resourceVersion'));
  await until('silence ends the watch', () => restarts.length > 0);
  const asked = (): string[] => server.seen.flatMap(({ query }) => query.get('watch') ?? []);
  await until('the watch is asked for again', () => asked().length === 2);
  // It goes on from the last bookmark, not from the list.
  assert.is(Number(server.seen.at(-1)?.query.get('resourceVersion')), from + 20);
  assert.match(String(errors[0]), 'silent');
});

test('events may be cut at any byte', async () => {
  start();
  await watching();
  const event = { type: 'ADDED', object: configMap('français-œ', 'é€😀') };
  const lines = ['a', 'b', 'c'].map((name) => {
    const metadata = { ...event.object.metadata, name, resourceVersion: `9${name}` };
    return `${JSON.stringify({ ...event, object: { ...event.object, metadata } })}\n`;
  });
  const bytes = Buffer.from(lines.join(''));
  for (let at = 0; at < bytes.length; at += 7) {
    server.write(bytes.subarray(at, at + 7));
    if (at % 70 === 0) await new Promise(setImmediate);
  }
  await until('three objects', () => reflector.store.size === 3);
  assert.is(valueOf('c'), 'é€😀');
});

test('a line that is not JSON breaks the watch, not the reflector', async () => {
  start();
  await watching();
  server.write('{"type": nonsense}\n');
  await until('told', () => errors.some((error) => String(error).includes('not JSON')));
  await watching();
  server.put(configMap('one'));
  await until('the change came', () => valueOf('one') === 'x');
});

test('a handler that throws is told of, and every later change still comes', async () => {
  start({
    onChange(change) {
      changes.push(words(change));
      throw new Error(`no to ${change.object.metadata.name}`);
    },
  });
  await watching();
  server.put(configMap('one'));
  server.put(configMap('two'));
  await until('both', () => changes.length === 2);
  assert.equal(errors.map(String), ['Error: no to one', 'Error: no to two']);
  assert.is(server.mostWatches, 1);
  assert.is(restarts.length, 0);
});

test('stop leaves nothing behind: while listing, watching, backing off or before anything answered', async () => {
  for (const moment of ['listing', 'watching', 'backing off'] as const) {
    if (moment === 'listing') server.script.push({ on: 'list', answer: 'silent' });
    if (moment === 'backing off') server.script.push({ on: 'list', answer: 403 });
    start({ timing: moment === 'backing off' ? { backoffMs: 100_000, maxBackoffMs: 100_000 } : {} });
    const before = server.seen.length;
    if (moment === 'watching') await watching();
    else if (moment === 'backing off') await until('refused', () => errors.length > 0);
    else await until('asked', () => server.seen.length > before);
    await reflector.stop();
    await until('no watch is left', () => server.watches === 0);
    const asked = server.seen.length;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    assert.is(server.seen.length, asked, `${moment}: it asked again after stop`);
    errors = [];
  }
  const outcome = await reflector.synced.then(
    () => 'synced',
    () => 'stopped',
  );
  assert.is(outcome, 'stopped');
});

test('several namespaces, one store, one watch each; a relist of one leaves the others alone', async () => {
  server.put(configMap('one'));
  start({ namespaces: ['default', 'other', 'default'] });
  await watching(2);
  const paths = server.seen.filter(({ query }) => query.has('watch')).map(({ path }) => path);
  assert.equal(paths.toSorted(), ['/api/v1/namespaces/default/configmaps', '/api/v1/namespaces/other/configmaps']);
  assert.is(reflector.store.size, 1);
});

test('it says how long nothing was heard', async () => {
  start();
  await watching();
  await new Promise((resolve) => {
    setTimeout(resolve, 60);
  });
  assert.ok(reflector.lastHeardMs() >= 50);
  const before = reflector.lastHeardMs();
  server.bookmark();
  await until('heard', () => reflector.lastHeardMs() < before);
});

test.run();
