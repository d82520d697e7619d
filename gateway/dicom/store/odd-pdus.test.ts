import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeCommand } from '../dimse/command.ts';
import { dataPdus } from '../pdu/data-pdus.ts';
import { explicitVrLittleEndian } from '../uids.ts';
import {
  type Bench,
  associate,
  ctImage,
  leased,
  openBench,
  openSender,
  say,
  storeContext,
  uid,
} from './scripted-peer.ts';

const accept = 2;
const reject = 3;
const data = 4;
const abort = 7;

interface OddCase {
  readonly name: string;
  readonly chunks: readonly Buffer[];
  /** PDU types we answer with. */
  readonly answers: readonly number[];
  readonly reset?: boolean;
}

const store = encodeCommand({
  field: 1,
  hasDataSet: true,
  messageId: 1,
  affectedSopClass: ctImage,
  affectedSopInstance: '1.2.3.4',
});
const command = (bytes: Buffer, contextId = 1, last = true): Buffer =>
  Buffer.concat(dataPdus(contextId, true, bytes, last, 0));
const dataSet = (bytes: Buffer, last = true, contextId = 1): Buffer =>
  Buffer.concat(dataPdus(contextId, false, bytes, last, 0));
const header = (type: number, length: number): Buffer => {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt32BE(length, 2);
  return bytes;
};
const contexts = (count: number, id: (index: number) => number): Buffer =>
  associate(Array.from({ length: count }, (_, index) => ({ ...storeContext, id: id(index) })));
const cutItem = (): Buffer => {
  const bytes = Buffer.from(associate());
  bytes.writeUInt16BE(60_000, 74 + 2); // length of the first item
  return bytes;
};

const cases: readonly OddCase[] = [
  { name: 'HTTP', chunks: [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')], answers: [abort] },
  { name: 'TLS ClientHello', chunks: [Buffer.from('16030100a5010000a1', 'hex')], answers: [abort] },
  { name: 'unknown PDU type', chunks: [header(0x42, 4)], answers: [abort] },
  { name: 'P-DATA before association', chunks: [command(store)], answers: [abort] },
  { name: 'A-RELEASE before association', chunks: [Buffer.concat([header(5, 4), Buffer.alloc(4)])], answers: [abort] },
  { name: 'A-ABORT before association', chunks: [Buffer.concat([header(7, 4), Buffer.alloc(4)])], answers: [] },
  { name: '2 GB A-ASSOCIATE', chunks: [header(1, 0x80000000), randomBytes(65_536)], answers: [abort] },
  { name: '4 GB P-DATA', chunks: [associate(), header(4, 0xffffffff), randomBytes(65_536)], answers: [accept, abort] },
  { name: 'P-DATA of length 0', chunks: [associate(), header(4, 0)], answers: [accept, abort] },
  { name: 'duplicate context ids', chunks: [contexts(2, () => 1)], answers: [abort] },
  { name: 'even context id', chunks: [contexts(1, () => 2)], answers: [abort] },
  { name: '200 contexts', chunks: [contexts(200, (index) => (index * 2 + 1) & 0xff)], answers: [abort] },
  { name: 'item longer than its PDU', chunks: [cutItem()], answers: [abort] },
  {
    name: 'A-ASSOCIATE shorter than its fixed fields',
    chunks: [Buffer.concat([header(1, 10), Buffer.alloc(10)])],
    answers: [abort],
  },
  { name: 'second A-ASSOCIATE', chunks: [associate(), associate()], answers: [accept, abort] },
  {
    name: 'PDV longer than its PDU',
    chunks: [associate(), Buffer.from('04000000000a00000fff0103ffff0000', 'hex')],
    answers: [accept, abort],
  },
  { name: 'data set without command', chunks: [associate(), dataSet(randomBytes(100))], answers: [accept, abort] },
  {
    name: 'command inside a data set',
    chunks: [associate(), command(store), dataSet(randomBytes(100), false), command(store)],
    answers: [accept, abort],
  },
  { name: 'context that was not accepted', chunks: [associate(), command(store, 99)], answers: [accept, abort] },
  {
    name: 'data set on another context',
    chunks: [contexts(2, (index) => index * 2 + 1), command(store), dataSet(randomBytes(10), true, 3)],
    answers: [accept, abort],
  },
  { name: 'garbage command', chunks: [associate(), command(randomBytes(200))], answers: [accept, abort] },
  {
    name: 'endless command',
    chunks: [associate(), command(Buffer.alloc(100_000), 1, false)],
    answers: [accept, abort],
  },
  {
    name: 'SOP Instance UID with a path',
    chunks: [
      associate(),
      command(
        encodeCommand({
          field: 1,
          hasDataSet: true,
          messageId: 1,
          affectedSopClass: ctImage,
          affectedSopInstance: '../../etc/passwd',
        }),
      ),
      dataSet(randomBytes(10)),
    ],
    answers: [accept, data],
  },
  {
    name: 'N-ACTION',
    chunks: [associate(), command(encodeCommand({ field: 0x0130, hasDataSet: false, messageId: 1 }))],
    answers: [accept, data],
  },
  {
    name: 'reset in the middle of an instance',
    chunks: [associate(), command(store), dataSet(randomBytes(60_000), false)],
    answers: [accept],
    reset: true,
  },
  { name: 'unknown called AE title', chunks: [associate(undefined, 'NOBODY')], answers: [reject] },
  { name: 'AE title in lower case', chunks: [associate(undefined, 'drim1')], answers: [reject] },
  { name: 'AE title without a lease', chunks: [associate(undefined, 'DRIM2')], answers: [reject] },
];

async function storesOne(bench: Bench): Promise<void> {
  const sender = await openSender(bench.receiver);
  const status = await sender.send({
    sopClassUid: ctImage,
    sopInstanceUid: '1.2.3.4.5',
    transferSyntaxUid: explicitVrLittleEndian,
    data: randomBytes(10_000),
  });
  await sender.release();
  assert.is(status, 0);
}

for (const odd of cases) {
  test(`${odd.name}: the answer is exact, and the next association works`, async () => {
    const bench = await openBench();
    const slot = bench.receiver.open(leased, 'pacs-a');
    slot.receive(
      async (instance) => {
        for await (const bytes of instance.data) assert.ok(bytes.length > 0);
      },
      [uid(explicitVrLittleEndian)],
    );
    const reply = await say(bench.receiver, odd.chunks, 300, odd.reset ?? false);
    assert.equal(reply.types, odd.answers);
    await storesOne(bench);
    await bench.receiver.close();
    assert.is(bench.receiver.associations, 0);
  });
}

test('a peer that never asks for an association is dropped after ARTIM', async () => {
  const { receiver } = await openBench({ limits: { artimMs: 100 } });
  const reply = await say(receiver, [associate().subarray(0, 30)], 2_000);
  assert.is(reply.closed, true);
  assert.equal(reply.types, []);
  await receiver.close();
});

test('a peer that falls silent in the middle of a PDU is aborted, and its instance breaks', async () => {
  const bench = await openBench({ limits: { idleMs: 150 } });
  const outcomes: string[] = [];
  const slot = bench.receiver.open(leased, 'pacs-a');
  slot.receive(
    async (instance) => {
      try {
        for await (const bytes of instance.data) outcomes.push(String(bytes.length));
        outcomes.push('whole');
      } catch (error) {
        outcomes.push('broken');
        throw error;
      }
    },
    [uid(explicitVrLittleEndian)],
  );
  const reply = await say(bench.receiver, [associate(), command(store), dataSet(randomBytes(600), false)], 2_000);
  assert.is(reply.closed, true);
  assert.equal(reply.types, [accept, abort]);
  assert.equal(outcomes, ['600', 'broken']);
  await bench.receiver.close();
});

test('byte by byte, an association and an instance arrive like any other', async () => {
  const bench = await openBench();
  const slot = bench.receiver.open(leased, 'pacs-a');
  const received: Buffer[] = [];
  slot.receive(
    async (instance) => {
      for await (const bytes of instance.data) received.push(bytes);
    },
    [uid(explicitVrLittleEndian)],
  );
  const bytes = randomBytes(50);
  const stream = Buffer.concat([command(store), dataSet(bytes)]);
  const single = [...stream].map((byte) => Buffer.from([byte]));
  // The kernel joins some of them; what matters is that no boundary is special, which pdu-reader.test.ts proves for all.
  const reply = await say(bench.receiver, [associate(), ...single.slice(0, 6), Buffer.concat(single.slice(6))]);
  assert.equal(reply.types, [accept, data]);
  assert.equal(Buffer.concat(received), bytes);
  await bench.receiver.close();
});

test('idle connections are bounded: far beyond the limit they are dropped', async () => {
  const bench = await openBench({ limits: { associations: 4 } });
  const replies = await Promise.all(
    Array.from({ length: 20 }, async () => await say(bench.receiver, [Buffer.from([1])], 200)),
  );
  assert.ok(replies.filter((reply) => reply.closed).length >= 12, 'connections beyond twice the limit are closed');
  await bench.receiver.close();
});

test.run();
