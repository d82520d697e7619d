import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { amend } from './amend.ts';

/** A state, and changes that end when they are told to. */
function stage() {
  const ends: (() => void)[] = [];
  const cell = { state: ['plan 1'] as readonly string[], seen: [] as (readonly string[])[] };
  const held = { get: () => cell.state, set: (next: readonly string[]) => (cell.state = next) };
  const addInSlices = async (from: readonly string[]): Promise<readonly string[]> => {
    cell.seen.push(from);
    await new Promise<void>((resolve) => ends.push(resolve));
    return [...from, 'plan 2'];
  };
  const end = async (): Promise<void> => {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { cell, held, addInSlices, end };
}

test('nobody comes in between: made once', async () => {
  const { cell, held, addInSlices, end } = stage();
  const amended = amend(held, addInSlices);
  await end();
  await amended;
  assert.equal(cell.state, ['plan 1', 'plan 2']);
  assert.is(cell.seen.length, 1);
});

test('a proxy speaks meanwhile, twice: neither what it said nor the change is lost', async () => {
  const { cell, held, addInSlices, end } = stage();
  const amended = amend(held, addInSlices);
  cell.state = [...cell.state, 'accepted'];
  await end();
  assert.equal(cell.state, ['plan 1', 'accepted'], 'a change made of what is no more is not taken');
  cell.state = [...cell.state, 'refused'];
  await end();
  await end();
  await amended;
  assert.equal(cell.state, ['plan 1', 'accepted', 'refused', 'plan 2']);
  assert.is(cell.seen.length, 3);
});

test('a change that fails leaves the state as it is', async () => {
  const { cell, held } = stage();
  try {
    await amend(held, () => Promise.reject(new Error('no')));
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), 'no');
  }
  assert.equal(cell.state, ['plan 1']);
});

test.run();
