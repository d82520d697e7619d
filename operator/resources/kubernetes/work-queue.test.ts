/** The queue's promises, on schedules nobody would write by hand. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

/** Time that moves only when told. */
function clock() {
  let nowMs = 0;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    schedule(delayMs: number, run: () => void) {
      const timer = { at: nowMs + delayMs, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    advance(ms: number) {
      const end = nowMs + ms;
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        timers = timers.filter((one) => one !== next);
        nowMs = next.at;
        next.run();
      }
      nowMs = end;
    },
    get waiting() {
      return timers.length;
    },
  };
}

/** What waits, in the order it would be taken. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const key = (await queue.take()) ?? '';
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

test('a key added twice waits once', async () => {
  const queue = createWorkQueue(clock());
  for (const key of ['a', 'b', 'a']) queue.add(key);
  assert.equal(await drain(queue), ['a', 'b']);
});

test('a key added while it is worked on is worked on again afterwards, once, and not before', async () => {
  const queue = createWorkQueue(clock());
  queue.add('a');
  assert.is(await queue.take(), 'a');
  queue.add('a');
  queue.add('a');
  assert.is(queue.depth, 0);
  queue.done('a');
  assert.equal(await drain(queue), ['a']);
});

test('fresh keys go before resynced ones, and a fresh add lifts a waiting resync', async () => {
  const queue = createWorkQueue(clock());
  for (const key of ['r1', 'r2', 'r3']) queue.add(key, 'resync');
  queue.add('f1');
  queue.add('r3');
  queue.add('f1', 'resync');
  assert.equal(await drain(queue), ['f1', 'r3', 'r1', 'r2']);
});

test('what turned by itself goes between the two, and is lifted as well', async () => {
  const queue = createWorkQueue(clock());
  queue.add('r1', 'resync');
  for (const key of ['n1', 'n2', 'n3']) queue.add(key, 'news');
  queue.add('f1', 'fresh');
  queue.add('r1', 'news');
  queue.add('n2', 'fresh');
  queue.add('n3', 'resync');
  assert.equal(await drain(queue), ['f1', 'n2', 'n1', 'n3', 'r1']);
});

test('back-off doubles from 5 ms to 1000 s, and begins anew after forget', () => {
  const time = clock();
  const queue = createWorkQueue(time);
  const delays: number[] = [];
  for (let count = 0; count < 20; count += 1) {
    queue.addRateLimited('a');
    const from = time.nowMs();
    while (queue.depth === 0) time.advance(count < 8 ? 1 : 1000);
    delays.push(time.nowMs() - from);
    void queue.take();
    queue.done('a');
  }
  assert.equal(delays.slice(0, 5), [5, 10, 20, 40, 80]);
  assert.is(Math.max(...delays), 1_000_000);
  assert.is(queue.failures('a'), 20);
  queue.forget('a');
  queue.addRateLimited('a');
  time.advance(5);
  assert.is(queue.depth, 1);
});

test('of several delayed adds the earliest counts', async () => {
  const time = clock();
  const queue = createWorkQueue(time);
  queue.addAfter('a', 100);
  queue.addAfter('a', 50);
  queue.addAfter('a', 200);
  assert.is(time.waiting, 1);
  time.advance(49);
  assert.is(queue.depth, 0);
  time.advance(1);
  assert.equal(await drain(queue), ['a']);
  time.advance(1000);
  assert.is(queue.depth, 0);
});

test('a wait of sixty days is not a wait of a millisecond', async () => {
  const queue = createWorkQueue();
  queue.addAfter('certificate', 60 * 86_400_000);
  await new Promise((resolve) => {
    setTimeout(resolve, 30);
  });
  assert.is(queue.depth, 0);
  await queue.shutDown();
});

test('shutting down waits for what is worked on, takes nothing new and drops what is delayed', async () => {
  const time = clock();
  const queue = createWorkQueue(time);
  queue.add('a');
  queue.add('b');
  queue.addAfter('later', 10);
  const key = await queue.take();
  let down = false;
  const end = queue.shutDown().then(() => {
    down = true;
    return undefined;
  });
  queue.add('c');
  assert.is(time.waiting, 0);
  assert.is(await queue.take(), 'b');
  const idle = queue.take();
  queue.done('b');
  assert.is(await idle, undefined);
  assert.is(down, false);
  queue.done(key ?? '');
  await end;
});

test('whoever waits for a key when the queue shuts down is let go', async () => {
  const queue = createWorkQueue(clock());
  const taken = queue.take();
  await queue.shutDown();
  assert.is(await taken, undefined);
});

test('done without take is a fault of the caller, and said so', () => {
  assert.throws(() => createWorkQueue(clock()).done('a'), /was not taken/);
});

test('hooks and gauges tell adds, retries, waiting and working times', async () => {
  const time = clock();
  const told: string[] = [];
  const hooks = {
    added: () => told.push('added'),
    retried: () => told.push('retried'),
    waited: (seconds: number) => told.push(`waited ${seconds}`),
    worked: (seconds: number) => told.push(`worked ${seconds}`),
  };
  const queue = createWorkQueue({ ...time, hooks });
  queue.add('a');
  time.advance(2000);
  assert.is(queue.oldestWaitMs, 2000);
  await queue.take();
  time.advance(500);
  queue.addRateLimited('a');
  queue.done('a');
  assert.equal(told, ['added', 'waited 2', 'retried', 'worked 0.5']);
  assert.is(queue.oldestWaitMs, 0);
});

/** A small generator with a seed: a failing schedule can be run again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('on random schedules no key is lost, none is worked on twice at once, all that is asked for is done', async () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const next = numbers(seed);
    const time = clock();
    const queue = createWorkQueue(time);
    const working = new Set<string>();
    /** Keys with something asked for after they were last taken. */
    const owed = new Set<string>();
    for (let step = 0; step < 200; step += 1) {
      const key = `k${next(6)}`;
      const action = next(7);
      if (action <= 1) queue.add(key, (['fresh', 'news', 'resync'] as const)[next(3)]);
      if (action === 2) queue.addAfter(key, next(50));
      if (action === 3) queue.addRateLimited(key);
      if (action <= 3) owed.add(key);
      if (action === 4 && queue.depth > 0) {
        const taken = (await queue.take()) ?? '';
        assert.not(working.has(taken), `seed ${seed}: ${taken} twice at once`);
        working.add(taken);
        owed.delete(taken);
      }
      if (action === 5 && working.has(key)) {
        working.delete(key);
        queue.done(key);
      }
      if (action === 6) time.advance(next(30));
    }
    for (const key of working) queue.done(key);
    time.advance(10_000_000);
    for (const key of await drain(queue)) owed.delete(key);
    assert.equal([...owed], [], `seed ${seed}: asked for and never done`);
    await queue.shutDown();
  }
});

test.run();
