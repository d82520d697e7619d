/**
 * One association over one socket: carries out the actions of the transition table. It knows PDUs, timers and the socket;
 * what the messages mean is its user's business.
 */
import type { Socket } from 'node:net';
import { maxControlPduLength, maxDataPduLength } from '../limits.ts';
import { dataPdus } from '../pdu/data-pdus.ts';
import { encodePdu } from '../pdu/encode.ts';
import { type Fragment, PduReader } from '../pdu/pdu-reader.ts';
import {
  type AssociateAccept,
  type AssociateReject,
  type AssociateRequest,
  type ControlPdu,
  PduError,
  abortReason,
} from '../pdu/pdu.ts';
import { type Deadline, deadline } from './deadline.ts';
import { type AssociationEnd, type AssociationUser, describeSocketError } from './association-user.ts';
import type { QuickAck } from './quick-ack.ts';
import { type Action, type Event, type State, transitions } from './transitions.ts';

export interface AssociationOptions {
  readonly socket: Socket;
  readonly user: AssociationUser;
  readonly quickAck: QuickAck;
  readonly artimMs: number;
  /** Longest silence of the peer, 0 for none; not counted while reading is paused. */
  readonly idleMs: number;
  /** Present on the requesting side. */
  readonly request?: AssociateRequest;
}

/** What an event carries. */
type Payload = ControlPdu | Fragment | Error | undefined;

export class Association {
  readonly #socket: Socket;
  readonly #user: AssociationUser;
  readonly #options: AssociationOptions;
  readonly #reader: PduReader;
  readonly #artim: Deadline;
  readonly #idle: Deadline;
  /** What each action of the table does; absent ones are done by who raised the event (AE-7, AE-8, DT-1) or are nothing (AA-6). */
  readonly #actions: Readonly<Partial<Record<Action, (event: Event, what: Payload) => void>>> = {
    'AE-2': (_, what) => this.#actOnAssociate(what),
    'AE-3': (_, what) => this.#actOnAssociate(what),
    'AE-4': (_, what) => this.#actOnAssociate(what),
    'AE-6': (_, what) => this.#actOnAssociate(what),
    'DT-2': (_, what) => this.#deliver(what),
    'AR-1': () => this.#write({ type: 'release-request' }),
    'AR-2': () => this.#handle('local-release-answer'),
    'AR-3': () => this.#released(),
    'AR-4': () => this.#answerRelease(true),
    'AR-8': () => this.#handle('local-release-answer'),
    'AR-9': () => this.#answerRelease(false),
    'AA-1': (event, what) => this.#sendAbort('AA-1', event, what),
    'AA-2': (event, what) => this.#gone(event, what),
    'AA-3': (event, what) => this.#gone(event, what),
    'AA-4': (event, what) => this.#gone(event, what),
    'AA-5': (event, what) => this.#gone(event, what),
    'AA-8': (event, what) => this.#sendAbort('AA-8', event, what),
  };
  #state: State;
  #ended = false;
  #paused = false;
  #peerMaxPduLength = 0;
  #drains: (() => void)[] = [];

  constructor(options: AssociationOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#user = options.user;
    this.#state = options.request === undefined ? 'awaiting-request' : 'connecting';
    this.#artim = deadline(options.artimMs, () => this.#handle('artim-expired'));
    this.#idle = deadline(options.idleMs, () => this.#silent());
    this.#reader = new PduReader(
      { maxDataPduLength, maxControlPduLength },
      {
        control: (pdu) => this.#handle(pdu.type, pdu),
        dataBegins: () => (this.#accepts('data') ? undefined : this.#handle('data')),
        fragment: (fragment) => this.#handle('data', fragment),
      },
    );
    this.#listen();
    if (options.request === undefined) this.#artim.start();
  }

  get state(): State {
    return this.#state;
  }

  /** Sends a part of a message. @returns false when the socket's buffer is full: await `drained`. */
  send(contextId: number, isCommand: boolean, payload: Buffer, last: boolean): boolean {
    if (!this.#accepts('local-data')) return true; // gone: the user was told, or is about to be
    for (const buffer of dataPdus(contextId, isCommand, payload, last, this.#peerMaxPduLength))
      this.#socket.write(buffer);
    return !this.#socket.writableNeedDrain;
  }

  /** Gathers what is sent inside `write` into as few segments as possible. */
  together(write: () => void): void {
    this.#socket.cork();
    write();
    this.#socket.uncork();
  }

  /** Resolves when the socket takes more, or is gone. */
  async drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain || this.#socket.destroyed) return;
    await new Promise<void>((resolve) => this.#drains.push(resolve));
  }

  release(): void {
    this.#handle('local-release');
    this.#artim.start(); // not in the standard: a peer that never answers a release must not hold the socket
  }

  /** @param why told to the user as the end, unless it ended already. */
  abort(why: AssociationEnd): void {
    this.#end(why);
    this.#handle('local-abort');
  }

  /** Stops reading the socket; the peer's window closes when its buffers are full. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
    this.#idle.stop();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
    if (this.#state === 'established') this.#idle.start();
  }

  get paused(): boolean {
    return this.#paused;
  }

  #listen(): void {
    const socket = this.#socket;
    // Nagle's algorithm off and dead peers noticed, on every DIMSE socket (architecture, decision 7).
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.on('connect', () => this.#handle('transport-open'));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#drained());
    socket.on('error', (error) => this.#end({ kind: 'lost', detail: describeSocketError(error) }));
    socket.on('close', () => this.#handle('transport-closed'));
  }

  #read(chunk: Buffer): void {
    this.#options.quickAck.acknowledge(this.#socket);
    if (this.#state === 'awaiting-close' || this.#state === 'closed') return;
    if (this.#state === 'established' && !this.#paused) this.#idle.start();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#fault(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The peer broke the protocol (ours or the message layer's): it is told why, and this association only ends. */
  #fault(error: Error): void {
    this.#end({ kind: 'fault', detail: error.message });
    this.#handle('invalid-pdu', error);
  }

  #silent(): void {
    if (this.#user.owes()) return this.#idle.start();
    this.abort({ kind: 'silent', afterMs: this.#options.idleMs });
  }

  #accepts(event: Event): boolean {
    const action = transitions[this.#state][event]?.action;
    return action === 'DT-1' || action === 'DT-2' || action === 'AA-6';
  }

  #handle(event: Event, what?: Payload): void {
    const transition = transitions[this.#state][event];
    if (transition === undefined) return; // a local event that no longer applies, e.g. a release after an abort
    this.#state = transition.next;
    this.#actions[transition.action]?.(event, what);
  }

  #actOnAssociate(what: Payload): void {
    if (is(what, 'associate-request')) {
      this.#artim.stop();
      this.#decide(what);
    } else if (is(what, 'associate-accept')) {
      this.#establish(what.user.maxPduLength, what);
    } else if (is(what, 'associate-reject')) {
      this.#end({ ...what, kind: 'rejected' });
      this.#close();
    } else if (this.#options.request !== undefined) {
      this.#write(this.#options.request);
    }
  }

  #deliver(what: Payload): void {
    if (what !== undefined && 'contextId' in what) this.#user.fragment(what);
  }

  #released(): void {
    this.#end({ kind: 'released' });
    this.#close();
  }

  #answerRelease(closing: boolean): void {
    this.#end({ kind: 'released' });
    this.#sendLast({ type: 'release-response' }, closing);
  }

  /** No more of this association: the peer aborted, closed, or never asked. */
  #gone(event: Event, what: Payload): void {
    if (is(what, 'abort')) this.#end({ kind: 'aborted', source: what.source, reason: what.reason });
    else
      this.#end({
        kind: 'lost',
        detail: event === 'artim-expired' ? 'no association in time' : 'the peer closed the connection',
      });
    this.#close();
  }

  #decide(request: AssociateRequest): void {
    const answer: AssociateAccept | AssociateReject = this.#user.decide(request);
    if (answer.type === 'associate-reject') {
      this.#end({ ...answer, kind: 'rejected' });
      this.#handle('local-reject');
      return this.#sendLast(answer, true);
    }
    this.#handle('local-accept');
    this.#write(answer);
    this.#establish(request.user.maxPduLength, answer);
  }

  #establish(peerMaxPduLength: number, accept: AssociateAccept): void {
    this.#peerMaxPduLength = peerMaxPduLength;
    this.#idle.start();
    this.#user.established(accept);
  }

  #sendAbort(action: 'AA-1' | 'AA-8', event: Event, what: Payload): void {
    const unexpected = event !== 'invalid-pdu' && event !== 'local-abort';
    if (unexpected) this.#end({ kind: 'fault', detail: `${event} was not expected here` });
    const reason =
      what instanceof PduError ? what.reason : unexpected ? abortReason.unexpectedPdu : abortReason.notSpecified;
    const byProvider = action === 'AA-8' || event !== 'local-abort';
    this.#sendLast({ type: 'abort', source: byProvider ? 2 : 0, reason: byProvider ? reason : 0 }, true);
  }

  #write(pdu: ControlPdu): void {
    this.#socket.write(encodePdu(pdu));
  }

  /** The last PDU we send. When `closing`, our half is closed and ARTIM bounds how long the peer may keep its own. */
  #sendLast(pdu: ControlPdu, closing: boolean): void {
    this.#write(pdu);
    if (!closing) return;
    this.#idle.stop();
    this.#artim.start();
    this.#socket.end();
    this.#socket.resume(); // unread bytes would hold back the peer's FIN
  }

  #close(): void {
    this.#state = 'closed';
    this.#artim.stop();
    this.#idle.stop();
    this.#socket.destroy();
    this.#drained();
  }

  #drained(): void {
    for (const resolve of this.#drains.splice(0)) resolve();
  }

  #end(end: AssociationEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#idle.stop();
    this.#drained();
    this.#user.ended(end);
  }
}

function is<T extends ControlPdu['type']>(what: Payload, type: T): what is Extract<ControlPdu, { type: T }> {
  return what !== undefined && 'type' in what && what.type === type;
}
