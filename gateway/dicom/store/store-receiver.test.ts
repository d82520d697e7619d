import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeCommand, encodeCommand } from '../dimse/command.ts';
import { PacsError } from '../pacs.ts';
import { dataPdus } from '../pdu/data-pdus.ts';
import { explicitVrLittleEndian, implicitVrLittleEndian } from '../uids.ts';
import { associate, ctImage, echoContext, idle, leased, openBench, openSender, say, uid } from './scripted-peer.ts';

const accept = [uid(explicitVrLittleEndian)];

function outgoing(data: Buffer | AsyncIterable<Buffer>, sopInstanceUid = '1.2.3.4') {
  return { sopClassUid: ctImage, sopInstanceUid, transferSyntaxUid: explicitVrLittleEndian, data };
}

async function* pieces(total: number, piece: number, sent: { bytes: number }): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < total; offset += piece) {
    const bytes = Buffer.alloc(Math.min(piece, total - offset), 7);
    sent.bytes += bytes.length;
    yield bytes;
  }
}

async function rejection(promise: Promise<unknown>): Promise<PacsError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof PacsError) return error;
    throw error;
  }
  throw new Error('it was expected to fail');
}

test('bytes arrive as they were sent, with their own names', async () => {
  const { receiver, events } = await openBench();
  const sent = [randomBytes(300_001), randomBytes(2), randomBytes(131_072)];
  const got: { uid: string; bytes: Buffer; syntax: string; calling: string }[] = [];
  receiver.open(leased, 'pacs-a').receive(async (instance) => {
    const parts: Buffer[] = [];
    for await (const bytes of instance.data) parts.push(bytes);
    got.push({
      uid: instance.sopInstanceUid,
      bytes: Buffer.concat(parts),
      syntax: instance.transferSyntaxUid,
      calling: instance.callingAeTitle,
    });
  }, accept);
  const sender = await openSender(receiver);
  for (const [index, data] of sent.entries()) assert.is(await sender.send(outgoing(data, `1.2.${index + 1}`)), 0);
  await sender.release();
  assert.equal(
    got.map((instance) => instance.bytes),
    sent,
  );
  assert.equal(
    got.map((instance) => instance.uid),
    ['1.2.1', '1.2.2', '1.2.3'],
  );
  assert.ok(got.every((instance) => instance.syntax === explicitVrLittleEndian && instance.calling === 'PACS'));
  assert.equal(
    events.map((event) => event.name),
    ['ImageReceived', 'ImageReceived', 'ImageReceived'],
  );
  await receiver.close();
});

test('a reader that does not read stops the sender: memory is bounded', async () => {
  const { receiver } = await openBench({ limits: { bufferedBytes: 262_144 } });
  const gate = Promise.withResolvers<void>();
  let total = 0;
  receiver.open(leased, 'pacs-a').receive(async (instance) => {
    await gate.promise;
    for await (const bytes of instance.data) total += bytes.length;
  }, accept);
  const sender = await openSender(receiver);
  const size = 200 * 1024 * 1024;
  const sent = { bytes: 0 };
  const sending = sender.send(outgoing(pieces(size, 1_048_576, sent)));
  await sleep(400);
  const stopped = sent.bytes;
  await sleep(200);
  assert.is(sent.bytes, stopped, 'nothing moves while nobody reads');
  assert.ok(stopped < 64 * 1024 * 1024, `${stopped} bytes left the sender: kernel buffers, not ours`);
  gate.resolve();
  assert.is(await sending, 0);
  assert.is(total, size);
  await sender.release();
  await receiver.close();
});

test('a handler that rejects answers 0xA700, its own status when it has one, and the association goes on', async () => {
  const { receiver, events } = await openBench();
  const failures = [new Error('not in the KOS'), new PacsError('failure', 'wrong class', 0xa900), undefined];
  receiver.open(leased, 'pacs-a').receive(async () => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  }, accept);
  const sender = await openSender(receiver);
  assert.is((await rejection(sender.send(outgoing(randomBytes(500_000))))).status, 0xa700);
  assert.is((await rejection(sender.send(outgoing(randomBytes(10))))).status, 0xa900);
  // Resolved without reading: the rest is dropped, the instance acknowledged.
  assert.is(await sender.send(outgoing(randomBytes(500_000))), 0);
  await sender.release();
  assert.equal(
    events.map((event) => event.name),
    ['StoreRefused', 'StoreRefused', 'ImageReceived'],
  );
  await receiver.close();
});

test('releasing the AE title breaks the instance in flight, and nothing more reaches the handler', async () => {
  const { receiver } = await openBench();
  const slot = receiver.open(leased, 'pacs-a');
  const started = Promise.withResolvers<void>();
  const outcomes: string[] = [];
  slot.receive(async (instance) => {
    started.resolve();
    try {
      for await (const bytes of instance.data) assert.ok(bytes.length > 0);
      outcomes.push('whole');
    } catch {
      outcomes.push('broken');
    }
  }, accept);
  const sender = await openSender(receiver);
  const endless = (async function* (): AsyncGenerator<Buffer> {
    for (;;) {
      yield randomBytes(1_000);
      await sleep(5);
    }
  })();
  const sending = rejection(sender.send(outgoing(endless)));
  await started.promise;
  slot.close();
  assert.is((await sending).kind, 'protocol');
  assert.equal(outcomes, ['broken']);
  assert.is((await rejection(openSender(receiver))).kind, 'rejected');
  await receiver.close();
});

test('an association of an earlier lease never stores into the next one of the same AE title', async () => {
  const { receiver } = await openBench();
  const stored: string[] = [];
  const first = receiver.open(leased, 'pacs-a');
  first.receive(async () => void stored.push('first'), accept);
  const late = await openSender(receiver);
  assert.is(await late.send(outgoing(randomBytes(10))), 0);
  first.close();
  const second = receiver.open(leased, 'pacs-a');
  second.receive(async () => void stored.push('second'), accept);
  await rejection(late.send(outgoing(randomBytes(10))));
  assert.equal(stored, ['first']);
  await receiver.close();
});

test('two AE titles receive at once and never mix', async () => {
  const { receiver } = await openBench();
  const got: Record<string, string[]> = { DRIM1: [], DRIM2: [] };
  for (const title of [leased, idle])
    receiver.open(title, 'pacs-a').receive(async (instance) => {
      for await (const bytes of instance.data) assert.ok(bytes.length > 0);
      got[title]?.push(instance.sopInstanceUid);
    }, accept);
  await Promise.all(
    ['DRIM1', 'DRIM2'].map(async (called, index) => {
      const sender = await openSender(receiver, called);
      for (let number = 1; number <= 30; number++)
        await sender.send(outgoing(randomBytes(40_000), `1.${index + 1}.${number}`));
      await sender.release();
    }),
  );
  assert.is(got['DRIM1']?.length, 30);
  assert.ok(got['DRIM1']?.every((sop) => sop.startsWith('1.1.')));
  assert.is(got['DRIM2']?.length, 30);
  assert.ok(got['DRIM2']?.every((sop) => sop.startsWith('1.2.')));
  await receiver.close();
});

test('an object that names another C-MOVE of ours is refused; its own, or a strange number, is not', async () => {
  const { receiver } = await openBench();
  const mine = receiver.open(leased, 'pacs-a');
  const other = receiver.open(idle, 'pacs-a');
  mine.receive(async () => undefined, accept);
  const [own, foreign] = [receiver.newMoveMessageId(mine), receiver.newMoveMessageId(other)];
  const statusFor = async (moveOriginatorMessageId: number): Promise<number | undefined> => {
    const command = encodeCommand({
      field: 1,
      hasDataSet: true,
      messageId: 1,
      affectedSopClass: ctImage,
      affectedSopInstance: '1.2.3',
      moveOriginatorMessageId,
    });
    const message = [...dataPdus(1, true, command, true, 0), ...dataPdus(1, false, randomBytes(100), true, 0)];
    const { bytes } = await say(receiver, [associate(), Buffer.concat(message)], 50);
    // Behind the A-ASSOCIATE-AC: one P-DATA-TF with the response in one PDV.
    return decodeCommand(bytes.subarray(6 + bytes.readUInt32BE(2) + 12)).status;
  };
  assert.is(await statusFor(own), 0x0000);
  assert.is(await statusFor(1), 0x0000);
  assert.is(await statusFor(foreign), 0xa700);
  await receiver.close();
});

test('C-ECHO is answered on every AE title of ours, leased or not', async () => {
  const { receiver } = await openBench();
  for (const title of ['DRIM1', 'DRIM2', 'DRIMBOX']) {
    const reply = await say(receiver, [associate([echoContext], title)], 50);
    assert.equal(reply.types, [2]);
  }
  assert.equal((await say(receiver, [associate([echoContext], 'OTHER')], 50)).types, [3]);
  await receiver.close();
});

test('associations beyond the limit are refused as a local limit', async () => {
  const { receiver } = await openBench({ limits: { associations: 2 } });
  receiver.open(leased, 'pacs-a').receive(async () => undefined, accept);
  const [one, two] = [await openSender(receiver), await openSender(receiver)];
  const error = await rejection(openSender(receiver));
  assert.is(error.kind, 'rejected');
  assert.match(error.message, 'local limit exceeded');
  await one.release();
  await two.release();
  await (await openSender(receiver)).release();
  await receiver.close();
});

test('whoever stores without a lease is the hook`s to accept', async () => {
  const seen: string[] = [];
  const { receiver } = await openBench({
    onUnleased: ({ calledAeTitle, callingAeTitle }) => {
      seen.push(`${callingAeTitle}>${calledAeTitle}`);
      return calledAeTitle === 'IOCM'
        ? { owner: 'pacs-a', accept, handler: async ({ sopInstanceUid }) => void seen.push(sopInstanceUid) }
        : undefined;
    },
  });
  const sender = await openSender(receiver, 'IOCM');
  await sender.send(outgoing(randomBytes(100), '1.9.9'));
  await sender.release();
  assert.is((await rejection(openSender(receiver, 'DRIM1'))).kind, 'rejected');
  assert.equal(seen, ['PACS>IOCM', '1.9.9', 'PACS>DRIM1']);
  await receiver.close();
});

test('when the wanted syntax is not offered, the object is received as it is', async () => {
  const { receiver } = await openBench();
  const syntaxes: string[] = [];
  receiver.open(leased, 'pacs-a').receive(async (instance) => void syntaxes.push(instance.transferSyntaxUid), accept);
  const sender = await openSender(receiver, 'DRIM1', implicitVrLittleEndian);
  await sender.send({ ...outgoing(randomBytes(10)), transferSyntaxUid: implicitVrLittleEndian });
  await sender.release();
  assert.equal(syntaxes, [implicitVrLittleEndian]);
  await receiver.close();
});

test('two links cannot share an AE title of their pools', async () => {
  const { receiver } = await openBench();
  assert.throws(() => receiver.claim('pacs-b', [leased], []), /DRIM1 of PACS pacs-b is already in the pool of pacs-a/);
  await receiver.close();
});

test('closing ends every association, whatever it is doing', async () => {
  const { receiver } = await openBench();
  receiver.open(leased, 'pacs-a').receive(async () => await new Promise(() => undefined), accept);
  const sender = await openSender(receiver);
  const sending = rejection(sender.send(outgoing(randomBytes(100_000))));
  await sleep(50);
  await receiver.close();
  assert.ok(['protocol', 'unreachable'].includes((await sending).kind));
  assert.is(receiver.associations, 0);
});

test.run();
