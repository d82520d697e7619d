import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Condition } from '../../plan/condition.ts';
import { isUnheard } from './judge.ts';

const status = (value: Condition['status'], reason: string): { readonly conditions: readonly Condition[] } => ({
  conditions: [
    {
      type: 'Ready',
      status: value,
      reason,
      message: '',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
});
const ready = status('True', 'Ready');

test('what a process that just began has not heard speaks against nothing that stands there', () => {
  for (const reason of ['Starting', 'NotAnswering', 'NotReported', 'NoProxyConnected', 'NotAcknowledged'])
    assert.ok(isUnheard(ready, status('Unknown', reason)), reason);
});

test('what it knows is told at once, and so is what makes ready, and what nobody said before', () => {
  assert.not.ok(isUnheard(ready, status('False', 'SecretNotFound')));
  assert.not.ok(isUnheard(ready, ready));
  assert.not.ok(isUnheard(status('False', 'SecretNotFound'), status('Unknown', 'NotAnswering')));
  assert.not.ok(isUnheard(undefined, status('Unknown', 'NotAnswering')));
});

test.run();
