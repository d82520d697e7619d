/** The latest events: counted when they come again, bounded, the longest silent dropped first. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type KeptEvent, keep, maxKept } from './kept-events.ts';

const happened = (subject: string, reason = '', message = '') => ({
  event: 'RoundFailed',
  level: 'error' as const,
  subject,
  reason,
  message,
});

test('the same again counts up, keeps its first time, and has the latest words', () => {
  let kept: readonly KeptEvent[] = [];
  kept = keep(kept, happened('a', 'X', 'first'), '2026-01-01T00:00:00Z');
  kept = keep(kept, happened('b', 'X', 'other'), '2026-01-01T00:00:01Z');
  kept = keep(kept, happened('a', 'X', 'second'), '2026-01-01T00:00:02Z');
  assert.equal(
    kept.map(({ subject, count, message }) => [subject, count, message]),
    [
      ['b', 1, 'other'],
      ['a', 2, 'second'],
    ],
  );
  assert.equal([kept[1]?.firstTime, kept[1]?.lastTime], ['2026-01-01T00:00:00Z', '2026-01-01T00:00:02Z']);
});

test('another subject, reason or event is another entry', () => {
  const all = [
    happened('a', 'X'),
    happened('b', 'X'),
    happened('a', 'Y'),
    { ...happened('a', 'X'), event: 'PlanApplied' },
  ];
  let kept: readonly KeptEvent[] = [];
  for (const one of all) kept = keep(kept, one, '2026-01-01T00:00:00Z');
  assert.is(kept.length, 4);
});

test('never more than the bound, and what just happened is always there', () => {
  let kept: readonly KeptEvent[] = [];
  for (let index = 0; index < 3 * maxKept; index += 1) {
    kept = keep(kept, happened('again'), `t${index}`);
    kept = keep(kept, happened(`once ${index}`), `t${index}`);
    assert.ok(kept.length <= maxKept);
    assert.is(kept.at(-1)?.subject, `once ${index}`);
  }
  assert.is(kept.length, maxKept);
  assert.is(kept.find(({ subject }) => subject === 'again')?.count, 3 * maxKept);
});

test.run();
