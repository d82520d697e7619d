import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAeTitle } from '../domain.ts';
import { AeTitlePool } from './ae-title-pool.ts';
import { PacsError } from './pacs.ts';

const titles = ['A', 'B', 'C', 'D'].map(parseAeTitle).filter((title) => title !== undefined);

/** Reproducible numbers in [0, 1). */
function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('never more leases than allowed, never one title twice, first come first served', async () => {
  const pool = new AeTitlePool(titles, 3);
  const order: number[] = [];
  const held = new Set<string>();
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const title = await pool.acquire();
      assert.ok(pool.leased <= 3);
      assert.not.ok(held.has(title), 'one holder per title');
      held.add(title);
      order.push(index);
      await sleep(1);
      held.delete(title);
      pool.release(title);
    }),
  );
  assert.equal(
    order,
    [...order].sort((a, b) => a - b),
  );
  assert.equal([pool.leased, pool.waiting, pool.free], [0, 0, 4]);
});

test('500 callers that give up at random leave nothing behind', async () => {
  const pool = new AeTitlePool(titles, 4);
  const random = randomness(7);
  const outcomes = await Promise.all(
    Array.from({ length: 500 }, async () => {
      const abort = new AbortController();
      const patience = random();
      const hold = random() * 3;
      setTimeout(() => abort.abort(new Error('gone')), patience * 60);
      try {
        const title = await pool.acquire(abort.signal);
        await sleep(hold);
        pool.release(title);
        if (random() < 0.3) pool.release(title); // released twice by a clumsy caller
        return 'served';
      } catch (error) {
        assert.ok(error instanceof PacsError && error.kind === 'timeout');
        return 'gave up';
      }
    }),
  );
  assert.ok(outcomes.includes('served') && outcomes.includes('gave up'));
  assert.equal([pool.leased, pool.waiting, pool.free], [0, 0, 4]);
});

test('a title that rests is not handed out until it is rested', async () => {
  const [only] = titles;
  assert.ok(only);
  const pool = new AeTitlePool([only], 1);
  pool.release(await pool.acquire(), 60);
  const waiting = pool.acquire();
  await sleep(10);
  assert.equal([pool.leased, pool.waiting, pool.free], [0, 1, 0]);
  // The rest timer alone does not keep a process alive; this one does.
  await sleep(100);
  assert.is(await waiting, only);
});

test('closing fails who waits; what is held can still be released', async () => {
  const pool = new AeTitlePool(titles.slice(0, 1), 1);
  const title = await pool.acquire();
  const waiting = pool.acquire().catch((error: unknown) => error);
  pool.close();
  assert.instance(await waiting, PacsError);
  pool.release(title, 1_000);
  assert.is(pool.leased, 0);
  assert.instance(await pool.acquire().catch((error: unknown) => error), PacsError);
});

test.run();
