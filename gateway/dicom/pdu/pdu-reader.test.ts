import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dataPdus, fragmentRoom } from './data-pdus.ts';
import { encodePdu } from './encode.ts';
import { type ControlPdu, PduError } from './pdu.ts';
import { PduReader } from './pdu-reader.ts';

const user = {
  maxPduLength: 16_384,
  implementationClassUid: '1.2.3.4',
  implementationVersionName: 'TEST',
  extended: [{ sopClassUid: '1.2.840.10008.5.1.4.1.2.2.1', information: Buffer.from([1]) }],
};
const titles = {
  protocolVersion: 1,
  calledAeTitle: 'A CALLED TITLE16',
  callingAeTitle: 'B',
  applicationContext: '1.2.840.10008.3.1.1.1',
};
const pdus: readonly ControlPdu[] = [
  {
    type: 'associate-request',
    ...titles,
    user,
    contexts: Array.from({ length: 128 }, (_, index) => ({
      id: index * 2 + 1,
      abstractSyntax: `1.2.840.10008.5.1.4.1.1.${index}`,
      transferSyntaxes: ['1.2.840.10008.1.2', '1.2.840.10008.1.2.4.80'],
    })),
  },
  {
    type: 'associate-accept',
    ...titles,
    user,
    contexts: [
      { id: 1, result: 0, transferSyntax: '1.2.840.10008.1.2' },
      { id: 3, result: 4, transferSyntax: '' },
    ],
  },
  { type: 'associate-reject', result: 1, source: 3, reason: 2 },
  { type: 'release-request' },
  { type: 'release-response' },
  { type: 'abort', source: 2, reason: 6 },
];

/** Everything a stream says, data joined per message part. */
function read(chunks: readonly Buffer[]): unknown[] {
  const said: unknown[] = [];
  let part: Buffer[] = [];
  const reader = new PduReader(
    { maxDataPduLength: 131_072, maxControlPduLength: 524_288 },
    {
      control: (pdu) => said.push(pdu),
      dataBegins: () => undefined,
      fragment(fragment) {
        part.push(fragment.bytes);
        if (!fragment.last) return;
        said.push({ contextId: fragment.contextId, isCommand: fragment.isCommand, bytes: Buffer.concat(part) });
        part = [];
      },
    },
  );
  for (const chunk of chunks) reader.push(chunk);
  assert.ok(reader.atBoundary);
  return said;
}

test('every PDU reads back as it was written', () => {
  assert.equal(read([Buffer.concat(pdus.map(encodePdu))]), [...pdus]);
});

test('every split point of a stream gives the same messages', () => {
  const [, accept, reject, release] = pdus;
  assert.ok(accept && reject && release);
  const command = Buffer.from('a command set');
  const dataSet = Buffer.from('a data set that is cut into several fragments by a small maximum');
  const stream = Buffer.concat([
    encodePdu(accept),
    ...dataPdus(5, true, command, true, 0),
    ...dataPdus(5, false, dataSet, true, 20),
    ...dataPdus(7, false, Buffer.alloc(0), true, 0),
    encodePdu(release),
  ]);
  const whole = read([stream]);
  assert.equal(whole, [
    accept,
    { contextId: 5, isCommand: true, bytes: command },
    { contextId: 5, isCommand: false, bytes: dataSet },
    { contextId: 7, isCommand: false, bytes: Buffer.alloc(0) },
    release,
  ]);
  for (let cut = 1; cut < stream.length; cut++)
    assert.equal(read([stream.subarray(0, cut), stream.subarray(cut)]), whole, `cut at ${cut}`);
  assert.equal(read([...stream].map((byte) => Buffer.from([byte]))), whole, 'byte by byte');
});

test('any byte changed in an A-ASSOCIATE-RQ is read or refused as a PduError, never another error', () => {
  const [request] = pdus;
  assert.ok(request);
  const original = encodePdu(request);
  let refused = 0;
  for (let offset = 0; offset < 600; offset++)
    for (const value of [0x00, 0x01, 0x7f, 0xff]) {
      const bytes = Buffer.from(original);
      bytes[offset] = value;
      try {
        read([bytes.subarray(0, 6 + Math.min(bytes.readUInt32BE(2), original.length - 6))]);
      } catch (error) {
        // atBoundary fails when the announced length is longer than what came: the reader waits, as it should.
        if (!(error instanceof PduError)) assert.ok(bytes.readUInt32BE(2) !== original.readUInt32BE(2), String(error));
        refused++;
      }
    }
  assert.ok(refused > 100);
});

test('what is sent fits the announced maximum and fragments are even', () => {
  for (const maximum of [0, 8, 9, 16_384, 131_072, 0xffffffff]) {
    const room = fragmentRoom(maximum);
    assert.is(room % 2, 0);
    assert.ok(maximum === 0 || room + 6 <= maximum);
    const buffers = dataPdus(1, false, Buffer.alloc(100), true, maximum);
    for (const buffer of buffers) assert.ok(buffer.length <= Math.max(room, 12));
  }
});

test.run();
