/** For tests: a receiver with one leased AE title, and a peer that says bytes no toolkit will. */
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAeTitle, parseUid, type AeTitle, type Uid } from '../../domain.ts';
import type { JournalEvent } from '../../journal/events.ts';
import { off } from '../association/quick-ack.ts';
import { encodePdu } from '../pdu/encode.ts';
import { maxDataPduLength } from '../limits.ts';
import type { ProposedContext } from '../pdu/pdu.ts';
import { applicationContext, explicitVrLittleEndian, verification } from '../uids.ts';
import { type StoreReceiver, type StoreReceiverOptions, openStoreReceiver } from './store-receiver.ts';
import { openStoreSender, type StoreSender } from './store-sender.ts';

export const ctImage = uid('1.2.840.10008.5.1.4.1.1.2');
export const leased = title('DRIM1');
export const idle = title('DRIM2');

export function uid(text: string): Uid {
  const parsed = parseUid(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

export function title(text: string): AeTitle {
  const parsed = parseAeTitle(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

export interface Bench {
  readonly receiver: StoreReceiver;
  readonly events: JournalEvent[];
}

export async function openBench(options: Partial<StoreReceiverOptions> = {}): Promise<Bench> {
  const events: JournalEvent[] = [];
  const receiver = await openStoreReceiver({
    host: '127.0.0.1',
    port: 0,
    journal: { record: (event) => void events.push(event) },
    quickAck: off('not needed here'),
    clock: () => performance.now(),
    ...options,
  });
  receiver.claim('pacs-a', [leased, idle], [title('DRIMBOX')]);
  return { receiver, events };
}

export async function openSender(
  receiver: StoreReceiver,
  called = 'DRIM1',
  transferSyntaxUid: string = explicitVrLittleEndian,
): Promise<StoreSender> {
  return await openStoreSender(
    {
      host: receiver.host,
      port: receiver.port,
      callingAeTitle: 'PACS',
      calledAeTitle: called,
      connectTimeoutMs: 2_000,
      responseTimeoutMs: 5_000,
      quickAck: off('not needed here'),
      clock: () => performance.now(),
    },
    [{ sopClassUid: ctImage, transferSyntaxUid }],
  );
}

export const storeContext: ProposedContext = {
  id: 1,
  abstractSyntax: ctImage,
  transferSyntaxes: [explicitVrLittleEndian],
};
export const echoContext: ProposedContext = {
  id: 3,
  abstractSyntax: verification,
  transferSyntaxes: ['1.2.840.10008.1.2'],
};

/** A-ASSOCIATE-RQ as bytes. */
export function associate(contexts: readonly ProposedContext[] = [storeContext], calledAeTitle = 'DRIM1'): Buffer {
  return encodePdu({
    type: 'associate-request',
    protocolVersion: 1,
    calledAeTitle,
    callingAeTitle: 'ODD',
    applicationContext,
    contexts,
    user: {
      maxPduLength: maxDataPduLength,
      implementationClassUid: '1.2.3',
      implementationVersionName: 'ODD',
      extended: [],
    },
  });
}

export interface Reply {
  /** Types of the PDUs received. */
  readonly types: number[];
  readonly bytes: Buffer;
  readonly closed: boolean;
}

/** Says `chunks` in order, each after the answer to the last or 50 ms, then listens until closed or `listenMs`. */
export async function say(
  receiver: StoreReceiver,
  chunks: readonly Buffer[],
  listenMs = 300,
  reset = false,
): Promise<Reply> {
  const socket: Socket = connect({ host: receiver.host, port: receiver.port });
  const received: Buffer[] = [];
  const state = { closed: false };
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('error', () => undefined); // a reset is an outcome here
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      state.closed = true;
      resolve();
    }),
  );
  for (const chunk of chunks) {
    if (state.closed) break;
    socket.write(chunk);
    await sleep(50);
  }
  if (reset) socket.resetAndDestroy();
  await Promise.race([closed, sleep(listenMs)]);
  const outcome = state.closed;
  socket.destroy();
  const bytes = Buffer.concat(received);
  return { types: typesOf(bytes), bytes, closed: outcome };
}

function typesOf(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let offset = 0; offset + 6 <= bytes.length; offset += 6 + bytes.readUInt32BE(offset + 2))
    types.push(bytes.readUInt8(offset));
  return types;
}
