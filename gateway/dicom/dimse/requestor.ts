/** The requesting side of DIMSE: opens an association, sends one request at a time, gives its responses in order. */
import { type Socket, connect } from 'node:net';
import { PacsError } from '../pacs.ts';
import { Association } from '../association/association.ts';
import { type AssociationEnd, type AssociationUser, describeEnd } from '../association/association-user.ts';
import type { QuickAck } from '../association/quick-ack.ts';
import { maxIdentifierLength } from '../limits.ts';
import type { Fragment } from '../pdu/pdu-reader.ts';
import type { AssociateAccept, ProposedContext } from '../pdu/pdu.ts';
import { type Command, commandField, encodeCommand, status } from './command.ts';
import { MessageReader } from './message-reader.ts';
import { type AssociateOptions, associateRequest } from './associate-request.ts';
import { endError } from './end-error.ts';

export interface RequestorOptions extends AssociateOptions {
  readonly host: string;
  readonly port: number;
  /** Abstract syntax and transfer syntaxes; ids are given here. At most 128. */
  readonly contexts: readonly Omit<ProposedContext, 'id'>[];
  readonly connectTimeoutMs: number;
  /** Longest silence while an answer is owed. */
  readonly responseTimeoutMs: number;
  readonly quickAck: QuickAck;
  readonly clock: () => number;
}

export interface AcceptedContext extends ProposedContext {
  readonly transferSyntax: string;
}

export interface Response {
  readonly command: Command;
  /** The encoded identifier, when one came. */
  readonly data: Buffer | undefined;
}

export interface RequestControl {
  readonly signal?: AbortSignal | undefined;
  /** Time (of `clock`) of the last sign of life outside this association, e.g. a C-STORE of our C-MOVE. */
  readonly lastActivity?: () => number;
}

export class Requestor {
  readonly #options: RequestorOptions;
  readonly #proposed: readonly ProposedContext[];
  readonly #association: Association;
  readonly #inbox: Response[] = [];
  #partial: { command: Command; bytes: Buffer[]; length: number } | undefined;
  #accept: AssociateAccept | undefined;
  #end: AssociationEnd | undefined;
  #lastHeard: number;
  #wake: () => void = () => undefined;
  #nextMessageId = 0;

  private constructor(options: RequestorOptions, socket: Socket) {
    this.#options = options;
    this.#proposed = options.contexts.map((context, index) => ({ id: index * 2 + 1, ...context }));
    this.#lastHeard = options.clock();
    socket.on('connect', () => this.#wake());
    this.#association = new Association({
      socket,
      user: this.#user(),
      quickAck: options.quickAck,
      artimMs: 2_000,
      idleMs: 0,
      request: associateRequest(options, this.#proposed),
    });
  }

  /** @throws PacsError unreachable, timeout or rejected */
  static async open(options: RequestorOptions, signal?: AbortSignal): Promise<Requestor> {
    throwIfAborted(signal);
    const socket = connect({ host: options.host, port: options.port });
    const requestor = new Requestor(options, socket);
    try {
      await requestor.#connected(socket, signal);
      await requestor.#waitFor(() => requestor.#accept !== undefined, { signal });
      return requestor;
    } catch (error) {
      requestor.abort('the association could not be opened');
      throw error;
    }
  }

  /** The first accepted context of an abstract syntax, optionally with one of these transfer syntaxes. */
  context(abstractSyntax: string, transferSyntaxes?: readonly string[]): AcceptedContext | undefined {
    for (const proposed of this.#proposed) {
      if (proposed.abstractSyntax !== abstractSyntax) continue;
      const answer = this.#accept?.contexts.find((candidate) => candidate.id === proposed.id && candidate.result === 0);
      if (answer === undefined || !proposed.transferSyntaxes.includes(answer.transferSyntax)) continue;
      if (transferSyntaxes !== undefined && !transferSyntaxes.includes(answer.transferSyntax)) continue;
      return { ...proposed, transferSyntax: answer.transferSyntax };
    }
    return undefined;
  }

  /** What the peer answered to our item 0x56. */
  extendedAnswer(sopClassUid: string): Buffer | undefined {
    return this.#accept?.user.extended.find((item) => item.sopClassUid === sopClassUid)?.information;
  }

  newMessageId(): number {
    // 1–65535: a US; an association of more requests starts again, none of the old is outstanding.
    this.#nextMessageId = (this.#nextMessageId % 0xffff) + 1;
    return this.#nextMessageId;
  }

  /**
   * Sends one request and gives every response, the final one (not pending) last.
   * @throws PacsError; the association is then of no more use
   */
  async *request(
    contextId: number,
    command: Command & { readonly messageId: number },
    data: Buffer | AsyncIterable<Buffer> | undefined,
    control: RequestControl = {},
  ): AsyncGenerator<Response> {
    this.#lastHeard = this.#options.clock();
    await this.#send(contextId, command, data);
    for (;;) {
      await this.#waitFor(() => this.#inbox.length > 0, control);
      const response = this.#inbox.shift();
      if (response === undefined) continue;
      if (response.command.respondedTo !== command.messageId || response.command.field !== (command.field | 0x8000)) {
        this.abort('the peer answered another request');
        throw new PacsError(
          'protocol',
          `answer 0x${response.command.field.toString(16)} to message ${response.command.respondedTo} was not asked for`,
        );
      }
      yield response;
      if (!isPending(response.command)) return;
    }
  }

  /** C-CANCEL-RQ (PS3.7 §9.3.2.3); the peer ends the request with a final response, when it listens at all. */
  cancel(contextId: number, messageId: number): void {
    const command = { field: commandField.cancelRequest, respondedTo: messageId, hasDataSet: false };
    this.#association.send(contextId, true, encodeCommand(command), true);
  }

  /** Waits for the rest of a cancelled request. @returns the final response, undefined when none came in time */
  async finalResponse(graceMs: number): Promise<Response | undefined> {
    const final = (): Response | undefined => this.#inbox.find((response) => !isPending(response.command));
    try {
      await this.#waitFor(() => final() !== undefined, { signal: AbortSignal.timeout(graceMs) });
    } catch {
      return undefined; // silence or a lost connection: the caller aborts
    }
    return final();
  }

  /** Ends in order; resolves when the peer has answered, or after ARTIM. */
  async release(): Promise<void> {
    this.#association.release();
    while (this.#end === undefined) await this.#woken(undefined, 60_000);
  }

  abort(detail: string): void {
    this.#association.abort({ kind: 'given-up', detail });
  }

  #user(): AssociationUser {
    const reader = new MessageReader({
      command: (_, command) => this.#command(command),
      data: (bytes, last) => this.#data(bytes, last),
    });
    return {
      decide: () => ({ type: 'associate-reject', result: 1, source: 1, reason: 1 }),
      established: (accept) => this.#note(() => (this.#accept = accept)),
      fragment: (fragment: Fragment) => this.#note(() => reader.push(fragment)),
      owes: () => false,
      ended: (end) => this.#note(() => (this.#end = end)),
    };
  }

  #note(change: () => void): void {
    this.#lastHeard = this.#options.clock();
    change();
    this.#wake();
  }

  #command(command: Command): void {
    if (command.hasDataSet) this.#partial = { command, bytes: [], length: 0 };
    else this.#inbox.push({ command, data: undefined });
  }

  #data(bytes: Buffer, last: boolean): void {
    const partial = this.#partial;
    if (partial === undefined) return;
    partial.length += bytes.length;
    if (partial.length > maxIdentifierLength)
      throw new Error(`a response identifier is longer than ${maxIdentifierLength} bytes`);
    partial.bytes.push(bytes);
    if (!last) return;
    this.#partial = undefined;
    this.#inbox.push({ command: partial.command, data: Buffer.concat(partial.bytes) });
  }

  async #send(contextId: number, command: Command, data: Buffer | AsyncIterable<Buffer> | undefined): Promise<void> {
    const association = this.#association;
    const bytes = encodeCommand(command);
    if (data === undefined) {
      association.send(contextId, true, bytes, true);
    } else if (Buffer.isBuffer(data)) {
      association.together(() => {
        association.send(contextId, true, bytes, true);
        association.send(contextId, false, data, true);
      });
    } else {
      association.send(contextId, true, bytes, true);
      for await (const chunk of data) await this.#sendChunk(contextId, chunk);
      association.send(contextId, false, Buffer.alloc(0), true);
    }
    await association.drained();
  }

  async #sendChunk(contextId: number, chunk: Buffer): Promise<void> {
    this.#throwIfEnded();
    if (chunk.length === 0) return;
    this.#association.together(() => this.#association.send(contextId, false, chunk, false));
    await this.#association.drained();
  }

  async #connected(socket: Socket, signal: AbortSignal | undefined): Promise<void> {
    const since = this.#options.clock();
    while (socket.connecting) {
      const left = since + this.#options.connectTimeoutMs - this.#options.clock();
      if (left <= 0)
        throw new PacsError(
          'unreachable',
          `no TCP connection to ${this.#where()} in ${this.#options.connectTimeoutMs} ms`,
        );
      await this.#woken(signal, left);
      this.#throwIfEnded();
      throwIfAborted(signal);
    }
  }

  async #waitFor(done: () => boolean, control: RequestControl): Promise<void> {
    for (;;) {
      if (done()) return;
      this.#throwIfEnded();
      throwIfAborted(control.signal);
      const heard = Math.max(this.#lastHeard, control.lastActivity?.() ?? 0);
      const left = heard + this.#options.responseTimeoutMs - this.#options.clock();
      if (left <= 0) {
        this.abort('the peer did not answer in time');
        throw new PacsError('timeout', `${this.#where()} was silent for ${this.#options.responseTimeoutMs} ms`);
      }
      await this.#woken(control.signal, left);
    }
  }

  async #woken(signal: AbortSignal | undefined, ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(wake, ms);
      signal?.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
      function wake(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      }
    });
  }

  #throwIfEnded(): void {
    if (this.#end !== undefined) throw endError(this.#end, `${this.#where()}: ${describeEnd(this.#end)}`);
  }

  #where(): string {
    return `${this.#options.calledAeTitle}@${this.#options.host}:${this.#options.port}`;
  }
}

function isPending(command: Command): boolean {
  return command.status === status.pending || command.status === status.pendingWithWarning;
}

/** @throws PacsError timeout, its cause the signal's reason: the caller, not the PACS, ended the wait. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new PacsError('timeout', 'the caller gave up waiting', undefined, { cause: signal.reason });
}
