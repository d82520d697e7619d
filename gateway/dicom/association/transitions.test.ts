import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type PduEvent, type State, transitions } from './transitions.ts';

const pduEvents: readonly PduEvent[] = [
  'associate-request',
  'associate-accept',
  'associate-reject',
  'data',
  'release-request',
  'release-response',
  'abort',
  'invalid-pdu',
];
const rows = Object.entries(transitions) as [State, (typeof transitions)[State]][];
const listening = rows.filter(([state]) => state !== 'closed' && state !== 'connecting');

test('every state with an open connection answers every PDU, known or not', () => {
  for (const [state, row] of listening) for (const event of pduEvents) assert.ok(row[event], `${state} × ${event}`);
});

test('every state but the last can lose its connection and be given up', () => {
  for (const [state, row] of rows) {
    if (state === 'closed') continue;
    assert.is(row['transport-closed']?.next, 'closed', state);
    assert.ok(row['local-abort'], state);
  }
});

test('data reaches the user only inside an association', () => {
  for (const [state, row] of rows)
    assert.is(row.data?.action === 'DT-2', state === 'established' || state === 'releasing', state);
});

test('the end is reached from everywhere, and nothing leaves it', () => {
  assert.equal(transitions.closed, {});
  for (const [state, row] of rows) {
    if (state === 'closed') continue;
    assert.ok(
      Object.values(row).some(({ next }) => next === 'closed' || next === 'awaiting-close'),
      state,
    );
  }
});

test.run();
