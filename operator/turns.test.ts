import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { breathe, inSlices } from './turns.ts';

/** Processor time, not the clock's: others may have the core. */
function compute(ms: number): void {
  const { user, system } = process.threadCpuUsage();
  for (;;) {
    const now = process.threadCpuUsage();
    if (now.user + now.system - user - system >= ms * 1000) return;
  }
}

test('short work is not held up', async () => {
  await turn();
  let turned = false;
  await breathe(); // what was computed before this test may ask for a turn
  setImmediate(() => (turned = true));
  for (let step = 0; step < 50; step += 1) await breathe();
  assert.is(turned, false);
});

test('of eight who work at once one has its piece in each turn of the loop, each in its order', async () => {
  const pieces: string[] = [];
  let [turns, working] = [0, true];
  const count = (): void => {
    turns += 1;
    pieces.push('turn');
    if (working) setImmediate(count);
  };
  setImmediate(count);
  const worker = async (name: string): Promise<void> => {
    for (let step = 0; step < 4; step += 1) {
      compute(10);
      pieces.push(name);
      await breathe();
    }
  };
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  await Promise.all(names.map(worker));
  working = false;
  await turn();
  const after = pieces.slice(pieces.indexOf('turn'));
  const crowded = after.filter(
    (piece, index) => piece !== 'turn' && after[index + 1] !== 'turn' && index + 1 < after.length,
  );
  assert.equal(crowded, []);
  const rounds = after.filter((piece) => piece !== 'turn').join('');
  assert.is(rounds, names.join('').repeat(3));
});

test('work in steps gives its result, and others their turn between them', async () => {
  let turned = 0;
  const timer = setInterval(() => (turned += 1), 1);
  function* steps(): Generator<undefined, string> {
    for (let step = 0; step < 5; step += 1) {
      compute(15);
      yield undefined;
    }
    return 'done';
  }
  assert.is(await inSlices(steps()), 'done');
  clearInterval(timer);
  assert.ok(turned >= 3, String(turned));
});

test.run();
