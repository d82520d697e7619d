import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseUid, type Uid } from '../../domain.ts';
import { createTally } from './series-tally.ts';

function uid(text: string): Uid {
  const parsed = parseUid(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

const ct = uid('1.2.840.10008.5.1.4.1.1.2');
const jpegLs = '1.2.840.10008.1.2.4.80';
const two = (): ReturnType<typeof createTally> =>
  createTally(
    new Map([
      [uid('1.1'), ct],
      [uid('1.2'), ct],
    ]),
  );

test('complete when every instance of the KOS was sent, not before', () => {
  const tally = two();
  assert.ok(tally.claim(uid('1.1')));
  tally.done(jpegLs, 10);
  assert.not.ok(tally.complete());
  assert.ok(tally.claim(uid('1.2')));
  assert.not.ok(tally.complete(), 'claimed is not sent');
  tally.done(jpegLs, 20);
  assert.ok(tally.complete());
  assert.equal([tally.sent, tally.bytes, tally.transferSyntaxes], [2, 30, { [jpegLs]: 2 }]);
});

test('an instance is sent once, and one that the KOS does not list never', () => {
  const tally = two();
  assert.ok(tally.claim(uid('1.1')));
  assert.not.ok(tally.claim(uid('1.1')));
  assert.not.ok(tally.claim(uid('9.9')));
  assert.is(tally.unlisted, 1);
});

test('without a KOS anything counts, and nothing is not a series', () => {
  const tally = createTally(undefined);
  assert.not.ok(tally.complete());
  assert.ok(tally.claim(uid('9.9')));
  tally.done(jpegLs, 1);
  assert.ok(tally.complete());
});

test.run();
