import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Condition } from '../../plan/condition.ts';
import type { ResourceStatus } from '../../plan/status.ts';
import { says } from './standing.ts';

const ready: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: '',
  observedGeneration: 3,
  lastTransitionTime: '2026-01-01T00:00:00Z',
};
const accepted: Condition = { ...ready, type: 'Accepted' };
const wanted: ResourceStatus = {
  kind: 'PacsLink',
  key: 'ght/pacs',
  generation: 3,
  observedGeneration: 3,
  creationTimestamp: '2026-01-01T00:00:00Z',
  conditions: [ready, accepted],
  fields: { certificateExpiry: '2027-01-01T00:00:00Z', lastEchoTime: '2026-01-02T00:00:00Z' },
};
const there = { observedGeneration: 3, conditions: wanted.conditions, ...wanted.fields };

test('what says the same needs no writing, in whatever order and precision it stands there', () => {
  assert.ok(says(there, wanted));
  const turned = {
    lastEchoTime: '2026-01-02T00:00:00Z',
    certificateExpiry: '2027-01-01T00:00:00Z',
    observedGeneration: 3,
    conditions: [accepted, { ...ready, lastTransitionTime: '2026-01-01T00:00:00.000Z' }],
  };
  assert.ok(says(turned, wanted));
});

test('the time of an echo alone is not worth a write', () => {
  assert.ok(says({ ...there, lastEchoTime: '2026-01-09T00:00:00Z' }, wanted));
});

test('anything else is', () => {
  assert.not.ok(says(undefined, wanted));
  assert.not.ok(says({ ...there, observedGeneration: 2 }, wanted));
  assert.not.ok(says({ ...there, certificateExpiry: '2027-01-02T00:00:00Z' }, wanted));
  assert.not.ok(says({ ...there, pacs: '1/1' }, wanted));
  assert.not.ok(says({ ...there, conditions: [ready] }, wanted));
  const others: readonly Partial<Condition>[] = [
    { status: 'False' },
    { reason: 'Other' },
    { message: 'other' },
    { observedGeneration: 2 },
    { lastTransitionTime: '2026-01-01T00:00:01Z' },
  ];
  for (const other of others)
    assert.not.ok(says({ ...there, conditions: [{ ...ready, ...other }, accepted] }, wanted), JSON.stringify(other));
});

test.run();
