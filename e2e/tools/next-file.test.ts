import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { filesAtOnce, longestFirst, nextFile, waits } from './next-file.ts';

const files = [
  'gateway/a.test.ts',
  'operator/b.test.ts',
  'e2e/scenarios/kill-at-arrows.test.ts',
  'common/c.test.ts',
  'e2e/scenarios/cluster-pods.test.ts',
  'e2e/scenarios/cluster-objects.test.ts',
  'e2e/parts/cluster/single-node.test.ts',
];

/** Runs them in turns of one length; the file that began first ends first. */
function everyTurn(jobs: number): readonly (readonly string[])[] {
  const left = longestFirst(files);
  const running: string[] = [];
  const turns: (readonly string[])[] = [];
  while (left.length > 0 || running.length > 0) {
    while (running.length < filesAtOnce(jobs)) {
      const count = { waiting: running.filter(waits).length, working: running.filter((file) => !waits(file)).length };
      const next = nextFile(left, count, jobs);
      if (next === undefined) break;
      left.splice(left.indexOf(next), 1);
      running.push(next);
    }
    assert.ok(running.length > 0, `nothing runs, and ${left.length} are left`);
    turns.push([...running]);
    running.shift();
  }
  return turns;
}

for (const jobs of [1, 2, 3, 8])
  test(`${jobs} at once: every file runs, as many as may and no more`, () => {
    const turns = everyTurn(jobs);
    assert.equal([...new Set(turns.flat())].toSorted(), files.toSorted());
    for (const turn of turns) {
      assert.ok(turn.filter((file) => !waits(file)).length <= (turn.some(waits) ? jobs : filesAtOnce(jobs)));
      assert.ok(turn.filter(waits).length <= Math.min(jobs, 2));
    }
  });

test('one that waits runs beside as many long ones as were asked for, the longest first', () => {
  const left = ['e2e/scenarios/rotation.test.ts', 'e2e/scenarios/cluster-pods.test.ts', 'gateway/a.test.ts'];
  assert.is(nextFile(left, { working: 0, waiting: 0 }, 2), 'e2e/scenarios/cluster-pods.test.ts');
  assert.is(nextFile(left, { working: 1, waiting: 1 }, 2), 'e2e/scenarios/rotation.test.ts');
});

test('two that wait run beside a short one, and a second short one when no other is left', () => {
  const left = ['e2e/scenarios/cluster-pods.test.ts', 'gateway/a.test.ts'];
  assert.is(nextFile(left, { working: 0, waiting: 1 }, 2), 'gateway/a.test.ts');
  assert.is(nextFile(left, { working: 1, waiting: 1 }, 2), 'e2e/scenarios/cluster-pods.test.ts');
  assert.is(nextFile(left.slice(1), { working: 1, waiting: 1 }, 2), 'gateway/a.test.ts');
});

test('when nothing waits any more a short one more runs, and no long one', () => {
  assert.is(nextFile(['gateway/a.test.ts'], { working: 2, waiting: 0 }, 2), 'gateway/a.test.ts');
  assert.is(nextFile(['gateway/a.test.ts'], { working: 2, waiting: 1 }, 2), undefined);
  assert.is(nextFile(['gateway/a.test.ts'], { working: 3, waiting: 0 }, 2), undefined);
  assert.is(nextFile(['e2e/scenarios/rotation.test.ts'], { working: 2, waiting: 0 }, 2), undefined);
});

test('one at a time is one at a time', () => {
  for (const turn of everyTurn(1)) assert.is(turn.length, 1);
});

test.run();
