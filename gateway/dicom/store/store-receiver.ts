/** The gateway's one DIMSE listener: PACS store here what our C-MOVEs ask of them, each to an AE title leased for it. */
import { type AddressInfo, type Socket, createServer } from 'node:net';
import type { AeTitle } from '../../domain.ts';
import type { Journal } from '../../journal/events.ts';
import type { QuickAck } from '../association/quick-ack.ts';
import { type ReceiverLimits, defaultReceiverLimits } from '../limits.ts';
import { admit } from './admission.ts';
import { MoveLedger } from './move-ledger.ts';
import { ReceivingSlot, type StoreBinding } from './slot.ts';
import { StoreSession } from './store-session.ts';

/** An association to an AE title that no lease holds. */
export interface UnleasedAssociation {
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly remote: string;
}

export interface StoreReceiverOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly journal: Journal;
  readonly quickAck: QuickAck;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly limits?: Partial<ReceiverLimits>;
  /** Who stores without being asked (IOCM, ci-sis §1.6): a binding accepts the association, undefined rejects it. */
  readonly onUnleased?: (association: UnleasedAssociation) => StoreBinding | undefined;
}

export interface StoreReceiver {
  readonly host: string;
  readonly port: number;
  readonly quickAck: QuickAck;
  readonly clock: () => number;
  /** Associations open now. */
  readonly associations: number;
  /**
   * Declares the AE titles of one PACS link: `pool` can be leased, `echoOnly` answer C-ECHO.
   * @returns undo
   * @throws Error when another link has a title of `pool`: a PACS could not tell whose move an instance belongs to
   */
  claim(owner: string, pool: readonly AeTitle[], echoOnly: readonly AeTitle[]): () => void;
  /** Opens an AE title for one C-MOVE. @throws Error when it is not claimed or already open */
  open(aeTitle: AeTitle, owner: string): ReceivingSlot;
  /** Message id for a C-MOVE of this slot, unlike any other under way (see `MoveLedger`). */
  newMoveMessageId(slot: ReceivingSlot): number;
  /** Aborts every association and frees the port. */
  close(): Promise<void>;
}

/** @throws Error when the port cannot be had */
export async function openStoreReceiver(options: StoreReceiverOptions): Promise<StoreReceiver> {
  const limits = { ...defaultReceiverLimits, ...options.limits };
  const claims = new Map<AeTitle, string>();
  const echoOnly: AeTitle[] = [];
  const slots = new Map<string, ReceivingSlot>();
  const sessions = new Set<StoreSession>();
  const sockets = new Set<Socket>();
  const moves = new MoveLedger();

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const session = new StoreSession(socket, {
      limits,
      quickAck: options.quickAck,
      journal: options.journal,
      admit(request, remote) {
        const { calledAeTitle, callingAeTitle } = request;
        const slot = slots.get(calledAeTitle);
        return admit(request, {
          slot,
          binding: slot?.binding ?? options.onUnleased?.({ calledAeTitle, callingAeTitle, remote }),
          known: [...claims.keys(), ...echoOnly].some((title) => title === calledAeTitle),
          overLimit: sessions.size > limits.associations,
        });
      },
      isForeignMove: (messageId, slot) => moves.belongsToAnother(messageId, slot),
      ended: (ended) => sessions.delete(ended),
    });
    sessions.add(session);
  });
  // Peers beyond the limit are answered with a rejection; far beyond it, connections are dropped unanswered.
  server.maxConnections = limits.associations * 2;
  const { host, port } = await listen(server, options);
  server.on('error', (error) =>
    options.journal.record({ name: 'InternalError', where: 'DIMSE listener', detail: error.message }),
  );

  return {
    host,
    port,
    quickAck: options.quickAck,
    clock: options.clock,
    get associations() {
      return sessions.size;
    },
    claim(owner, pool, echo) {
      for (const title of pool) {
        const holder = claims.get(title);
        if (holder !== undefined)
          throw new Error(`AE title ${title} of PACS ${owner} is already in the pool of ${holder}: give each its own`);
      }
      for (const title of pool) claims.set(title, owner);
      echoOnly.push(...echo);
      return () => {
        for (const title of pool) claims.delete(title);
        for (const title of echo) echoOnly.splice(echoOnly.indexOf(title), 1);
      };
    },
    open(aeTitle, owner) {
      if (claims.get(aeTitle) !== owner) throw new Error(`AE title ${aeTitle} is not in the pool of ${owner}`);
      if (slots.has(aeTitle)) throw new Error(`AE title ${aeTitle} is already held for another C-MOVE`);
      const slot = new ReceivingSlot(aeTitle, owner, options.clock, () => slots.delete(aeTitle));
      slots.set(aeTitle, slot);
      return slot;
    },
    newMoveMessageId: (slot) => moves.newMessageId(slot),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.abort('the gateway is stopping');
      // A-ABORT is on its way; a peer that keeps its half open must not hold the stop.
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

async function listen(
  server: ReturnType<typeof createServer>,
  options: StoreReceiverOptions,
): Promise<{ host: string; port: number }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo; // a TCP listener always has one
  return { host: address.address, port: address.port };
}
