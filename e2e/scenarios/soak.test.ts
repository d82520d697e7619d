/** Two minutes of what `drimbox bench soak` does for half an hour: what is deleted leaves nothing behind, in the cluster or in memory. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type SoakResult, chance, runSoak } from './soak.ts';

const soak = suite('soak');
let result: SoakResult;

soak.before(async () => {
  const nodeFlags = ['--max-old-space-size=256'];
  result = await runSoak({ sites: 20, minutes: 2, seed: 5, nodeFlags, say: () => undefined });
});

soak('a seed decides all of it', () => {
  const [a, b, c] = [chance(5), chance(5), chance(6)];
  const some = (next: () => number): readonly number[] => Array.from({ length: 50 }, next);
  const first = some(a);
  assert.equal(first, some(b));
  assert.not.equal(first, some(c));
  assert.ok(first.every((value) => value >= 0 && value < 1));
});

soak('sites were made, changed and deleted', () => {
  assert.ok(result.tides.length >= 3, `${result.tides.length} tides`);
  assert.ok(result.made > 0 && result.changed > 0);
  assert.is(result.deleted, result.made);
});

soak('each time that all were gone nothing was left in the cluster, in the queue, or in Envoy', () => {
  for (const { leftovers, queueDepth, envoySecrets } of result.tides) {
    assert.equal(leftovers, []);
    assert.is(queueDepth, 0);
    assert.equal(envoySecrets, []);
  }
});

soak('the memory of the operator is not what it was given to remember', () => {
  const [, second, ...later] = result.tides;
  const last = later.at(-1);
  assert.ok(second !== undefined && last !== undefined);
  // What a leak of one site per wave would hold is far above what an idle heap wavers by.
  const grown = last.heapBytes - second.heapBytes;
  assert.ok(grown < 16e6, `${(grown / 1e6).toFixed(1)} MB more from tide 2 to tide ${result.tides.length}`);
});

soak.run();
