import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Condition } from '../../plan/condition.ts';
import type { ResourceStatus } from '../../plan/status.ts';
import { gatherAfter } from './cluster-reconciler.ts';
import { latest } from './judge.ts';

function condition(type: string, status: Condition['status'], lastTransitionTime: string): Condition {
  return { type, status, reason: 'X', message: '', observedGeneration: 1, lastTransitionTime };
}

function said(...conditions: readonly Condition[]): ResourceStatus {
  return {
    kind: 'PacsLink',
    key: 'group/a',
    generation: 1,
    observedGeneration: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    conditions,
    fields: {},
  };
}

const [earlier, later] = ['2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z'];

test('what stands there counts as soon as it says the same, and is then the very same object', () => {
  const there = { conditions: [condition('Ready', 'True', earlier)] };
  assert.is(latest(there, said(condition('Ready', 'True', later))), there);
  assert.is(latest(there, undefined), there);
  assert.is(latest(undefined, undefined), undefined);
});

test('while the watch lags, the time at which a condition turned stays the one that was said first', () => {
  const there = { conditions: [condition('Ready', 'False', earlier), condition('Accepted', 'True', earlier)] };
  const found = latest(there, said(condition('Ready', 'True', later), condition('Accepted', 'True', later)));
  const times = found?.conditions.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime]);
  assert.equal(times, [
    ['Ready', 'True', later],
    ['Accepted', 'True', earlier],
  ]);
});

test('the wait before a round grows with what a round takes, within bounds', () => {
  assert.is(gatherAfter(0), 30);
  assert.is(gatherAfter(500), 250);
  assert.is(gatherAfter(60_000), 1_000);
});

test.run();
