import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { acknowledge } from './acknowledge.ts';
import { parseMessage } from './message.ts';
import type { MessageHeader } from './report.ts';

const identity = { now: new Date(Date.UTC(2026, 2, 10, 9, 0, 0)), controlId: 'ACK1' };
const request: MessageHeader = {
  controlId: 'M|1',
  sendingApplication: 'RIS é',
  sendingFacility: 'SITE',
  receivingApplication: 'DRIMBOX',
  receivingFacility: 'HERE',
  type: 'MDM',
  event: 'T10',
  version: '2.6',
  processingId: 'T',
  characterSet: '8859/15',
};

test('MSH is swapped, MSA repeats the id, values are escaped, the character set is the request’s', () => {
  const bytes = acknowledge(request, { code: 'AA' }, identity);
  assert.ok(bytes.includes(Buffer.from('RIS é', 'latin1')));
  const result = parseMessage(bytes);
  if (result.kind !== 'message') throw new Error(result.fault.rule);
  const [msh, msa, ...more] = result.message.segments;
  assert.equal(more, []);
  assert.equal(
    [3, 4, 5, 6, 7, 10, 11, 12, 17, 18].map((field) => msh?.value(field)),
    ['DRIMBOX', 'HERE', 'RIS é', 'SITE', '20260310090000+0000', 'ACK1', 'T', '2.6', 'FRA', '8859/15'],
  );
  assert.is(msh?.raw(9), 'ACK^T10^ACK');
  assert.equal([msa?.value(1), msa?.value(2)], ['AA', 'M|1']);
});

test('a refusal has one ERR per fault, and no value can open a segment or a field', () => {
  const fault = { code: '102', field: 'OBX-5.5', rule: 'a|b\rERR|evil', advice: 'c^d', source: 'e&f' };
  const result = parseMessage(acknowledge(request, { code: 'AE', faults: [fault, fault] }, identity));
  if (result.kind !== 'message') throw new Error(result.fault.rule);
  const errors = result.message.segments.filter(({ name }) => name === 'ERR');
  assert.is(errors.length, 2);
  assert.equal([errors[0]?.raw(2), errors[0]?.value(3), errors[0]?.value(4)], ['OBX^1^5^1^5', '102', 'E']);
  assert.match(errors[0]?.value(8) ?? '', /a\|b ERR\|evil; c\^d \(e&f\)/);
});

test('a message whose header could not be read is still answered', () => {
  assert.match(String(acknowledge(undefined, { code: 'AR', faults: [] }, identity)), /\rMSA\|AR\|UNKNOWN\r$/);
});

test.run();
