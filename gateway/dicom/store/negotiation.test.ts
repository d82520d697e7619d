import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProposedContext } from '../pdu/pdu.ts';
import { negotiate } from './negotiation.ts';

const ct = '1.2.840.10008.5.1.4.1.1.2';
const implicit = '1.2.840.10008.1.2';
const explicit = '1.2.840.10008.1.2.1';
const jpegLs = '1.2.840.10008.1.2.4.80';
const jpeg2000 = '1.2.840.10008.1.2.4.90';

function outcome(
  contexts: readonly (readonly [abstractSyntax: string, ...string[]])[],
  accept: readonly string[] | undefined,
): (string | number)[] {
  const proposed: ProposedContext[] = contexts.map(([abstractSyntax, ...transferSyntaxes], index) => ({
    id: index * 2 + 1,
    abstractSyntax,
    transferSyntaxes,
  }));
  return negotiate(proposed, accept).map(({ result, transferSyntax }) => (result === 0 ? transferSyntax : result));
}

test('one context of several syntaxes: the most wanted of those proposed (DB.SO.85)', () => {
  assert.equal(outcome([[ct, implicit, explicit, jpegLs]], [jpegLs, explicit]), [jpegLs]);
  assert.equal(outcome([[ct, implicit, jpegLs, explicit]], [explicit, jpegLs]), [explicit]);
});

test('a context for each syntax: all the wanted are accepted, the unwanted refused', () => {
  assert.equal(
    outcome(
      [
        [ct, jpegLs],
        [ct, implicit],
        [ct, explicit],
      ],
      [jpegLs, explicit],
    ),
    [jpegLs, 4, explicit],
  );
});

test('nothing wanted is offered: uncompressed first, else as it is, for us to transcode', () => {
  assert.equal(outcome([[ct, jpeg2000, implicit]], [jpegLs]), [implicit]);
  assert.equal(outcome([[ct, jpeg2000]], [jpegLs]), [jpeg2000]);
});

test('classes are judged one by one, private ones are storage, services are not', () => {
  const mr = '1.2.840.10008.5.1.4.1.1.4';
  const vendor = '1.3.12.2.1107.5.9.1';
  const commitment = '1.2.840.10008.1.20.1';
  assert.equal(
    outcome([[ct, jpegLs], [mr, jpeg2000], [vendor, explicit], [commitment, explicit], [ct]], [jpegLs, explicit]),
    [jpegLs, jpeg2000, explicit, 3, 4],
  );
});

test('without a lease only C-ECHO is accepted', () => {
  assert.equal(
    outcome(
      [
        ['1.2.840.10008.1.1', implicit],
        [ct, explicit],
      ],
      undefined,
    ),
    [implicit, 3],
  );
});

test.run();
