import { Message } from 'node-hl7-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aReport, reportMessage } from '../../../e2e/parts/reports.ts';
import { decodeEscapes, encodeEscapes } from './escapes.ts';
import { type Hl7Message, parseMessage } from './message.ts';

function parsed(text: string | Buffer): Hl7Message {
  const result = parseMessage(Buffer.from(text));
  if (result.kind !== 'message') throw new Error(result.fault.rule);
  return result.message;
}

test('delimiters are those of the message', () => {
  const { header, segments } = parsed('MSH#*!?%#APP#FAC\rPID###1*a%b!2*c\r');
  assert.equal([header.value(1), header.value(3), header.value(4)], ['#', 'APP', 'FAC']);
  const second = segments[1]?.repetitions(3) ?? [];
  assert.equal([second[0]?.value(2, 2), second[1]?.value(2), second.length], ['b', 'c', 2]);
});

test('CR, LF and CRLF end segments; a wrapped base64 field is one field', () => {
  for (const end of ['\r', '\n', '\r\n'])
    assert.is(parsed(`MSH|^~\\&|A${end}PID|1${end}PV1|2${end}`).segments.length, 3);
  const wrapped = parsed('MSH|^~\\&|A\rOBX|1|ED|X||^TEXT^XML^Base64^QUJD\nREVG\nR0g=||||||F\r');
  assert.equal([wrapped.segments[1]?.value(5, 5), wrapped.segments[1]?.value(11)], ['QUJDREVGR0g=', 'F']);
});

test('escapes are decoded, and what we escape reads back', () => {
  const { delimiters } = parsed('MSH|^~\\&|A\r');
  assert.is(decodeEscapes('a\\F\\b\\S\\\\T\\\\R\\\\E\\\\X41\\\\H\\\\.br\\\\Z9\\', delimiters), 'a|b^&~\\A\n\\Z9\\');
  for (const text of ['plain', '|^~\\&', '\\E\\', 'é|é', 'a\\F\\b', '\\'])
    assert.is(decodeEscapes(encodeEscapes(text, delimiters), delimiters), text);
  assert.is(encodeEscapes('a\rERR|x\n', delimiters), 'a ERR\\F\\x ');
});

test('what is no message is unreadable, with what of its header can be read', () => {
  for (const text of ['', 'MSH', 'MSH|', 'MSH||||||', 'MSHA^~\\&|', 'PID|1', '\x00\x01\x02', 'MSH|^~\\\\|'])
    assert.is(parseMessage(Buffer.from(text)).kind, 'unreadable', text);
});

test('our reader and node-hl7-client agree on every field of a report', () => {
  const bytes = reportMessage(aReport({ transport: 'MDM' }));
  const ours = parsed(bytes);
  const theirs = new Message({ text: bytes.toString() });
  for (const path of ['MSH.3', 'MSH.10', 'MSH.12', 'MSH.18', 'PID.7', 'PID.8', 'TXA.12', 'PV1.2', 'ORC.1']) {
    const [name = '', field = ''] = path.split('.');
    const mine = ours.segments.find((segment) => segment.name === name)?.value(Number(field));
    assert.is(mine, theirs.get(path).toString(), path);
  }
});

test.run();
