import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Condition } from './condition.ts';
import { type Told, createPatience, patienceMs, patienceWith } from './patience.ts';

const long = patienceMs.unasked['NotAcknowledged'] ?? 0;
const short = patienceMs.asked['NotAcknowledged'] ?? 0;

type Short = readonly [type: string, status: Condition['status'], reason: string];

const told = (...conditions: readonly Short[]): Told => ({
  conditions: conditions.map(([type, status, reason]) => ({
    type,
    status,
    reason,
    message: '',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })),
});
const accepted: Short = ['Accepted', 'True', 'Accepted'];
const served = told(['Ready', 'True', 'Ready'], accepted, ['IngressProgrammed', 'True', 'Programmed']);
const open = told(['Ready', 'Unknown', 'NotAcknowledged'], accepted, [
  'IngressProgrammed',
  'Unknown',
  'NotAcknowledged',
]);

test('nothing but an acknowledgement that is missing of what was served is waited for', () => {
  assert.ok(patienceWith(served, open));
  assert.not.ok(patienceWith(undefined, open), 'it is new');
  assert.not.ok(patienceWith(open, open), 'it is said already');
  assert.not.ok(patienceWith(served, served));
  const programmed = (status: Condition['status'], reason: string): Told => told(['IngressProgrammed', status, reason]);
  assert.ok(patienceWith(served, programmed('False', 'NoProxyConnected')), 'it connects again');
  for (const reason of ['RejectedByProxy', 'NotServed', 'ProxyDown'])
    assert.not.ok(patienceWith(served, programmed('False', reason)), reason);
  assert.not.ok(patienceWith(programmed('False', 'RejectedByProxy'), programmed('Unknown', 'NotAcknowledged')));
});

test('what is known beside it is said at once, and whether a site is ready for another reason does not matter', () => {
  const [, , programmed] = open?.conditions ?? [];
  assert.ok(programmed);
  const refused = told(['Accepted', 'False', 'FqdnTaken'], ['IngressProgrammed', 'Unknown', 'NotAcknowledged']);
  assert.not.ok(patienceWith(served, refused));
  const stalled = told(accepted, ['IngressProgrammed', 'Unknown', 'NotAcknowledged'], ['Stalled', 'True', 'X']);
  assert.not.ok(patienceWith(served, stalled));
  const silent = (status: Condition['status'], reason: string): Told =>
    told(
      ['Ready', 'False', 'EchoFailed'],
      ['PacsReachable', 'False', 'EchoFailed'],
      ['IngressProgrammed', status, reason],
    );
  assert.ok(patienceWith(silent('True', 'Programmed'), silent('Unknown', 'NotAcknowledged')));
});

test('it ends after a while, for each by itself, and begins anew once the proxies have spoken', () => {
  let now = 0;
  const patience = createPatience(() => now);
  const round = (...asked: readonly (readonly [string, Told])[]): readonly unknown[] => [
    ...asked.map(([key, wanted]) => patience.waits(key, served, wanted)),
    patience.endRound() !== undefined,
  ];
  assert.equal(round(['a', open], ['b', served]), [true, false, true]);
  now += long - 1;
  assert.equal(round(['a', open], ['b', open]), [true, true, true]);
  now += 1;
  assert.equal(round(['a', open], ['b', open]), [false, true, true]);
  now += long;
  assert.equal(round(['a', open], ['b', open]), [false, false, false], 'what is written is not shown at once');
  assert.equal(round(['a', served], ['b', open]), [false, false, false]);
  assert.equal(round(['a', open]), [true, true]);
  assert.equal(round(['b', open]), [true, true], 'it was gone for a round');
});

test('who asked for a change and waits for it is told sooner, and at once when no proxy is there', () => {
  let now = 0;
  const patience = createPatience(() => now);
  const newer = (told: Told): Told => ({
    conditions: told?.conditions.map((one) => ({ ...one, observedGeneration: 2 })) ?? [],
  });
  assert.ok(short < long);
  assert.ok(patience.waits('a', served, newer(open)));
  assert.ok(patience.waits('b', served, open));
  assert.is(patience.endRound(), short);
  now += short;
  assert.not.ok(patience.waits('a', served, newer(open)));
  assert.ok(patience.waits('b', served, open));
  assert.is(patience.endRound(), long - short);
  const nobody = told(accepted, ['IngressProgrammed', 'False', 'NoProxyConnected']);
  assert.ok(patienceWith(served, nobody));
  assert.not.ok(patienceWith(served, newer(nobody)));
});

test.run();
