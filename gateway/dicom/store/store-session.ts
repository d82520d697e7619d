/** One association in which a peer stores to us: C-ECHO and C-STORE as provider, data sets passed through unread. */
import type { Socket } from 'node:net';
import { type Uid, parseUid } from '../../domain.ts';
import type { Journal } from '../../journal/events.ts';
import { Association } from '../association/association.ts';
import { type AssociationEnd, type AssociationUser, describeEnd } from '../association/association-user.ts';
import type { QuickAck } from '../association/quick-ack.ts';
import { type Command, commandField, encodeCommand, status } from '../dimse/command.ts';
import { MessageError, MessageReader } from '../dimse/message-reader.ts';
import type { ReceiverLimits } from '../limits.ts';
import { type IncomingInstance, PacsError } from '../pacs.ts';
import type { AssociateAccept, AssociateReject, AssociateRequest } from '../pdu/pdu.ts';
import type { Admission } from './admission.ts';
import { InstanceStream } from './instance-stream.ts';
import type { ReceivingSlot, SlotSession, StoreBinding } from './slot.ts';

export interface SessionContext {
  readonly limits: ReceiverLimits;
  readonly quickAck: QuickAck;
  readonly journal: Journal;
  admit(request: AssociateRequest, remote: string): Admission;
  /** Does this Move Originator Message ID belong to a C-MOVE of another slot? */
  isForeignMove(messageId: number, slot: ReceivingSlot | undefined): boolean;
  ended(session: StoreSession): void;
}

/** Time an association without work gets to release after its slot closed. */
const orphanGraceMs = 2_000;

/** What became of an instance: 0x0000, or why not. */
interface Outcome {
  readonly status: number;
  readonly comment: string;
}

interface InFlight {
  readonly contextId: number;
  readonly command: Command;
  readonly stream: InstanceStream;
  readonly transferSyntax: string;
  bytes: number;
  received: boolean;
  outcome: Outcome | undefined;
}

interface Context {
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
}

export class StoreSession implements AssociationUser, SlotSession {
  readonly #context: SessionContext;
  readonly #association: Association;
  readonly #messages: MessageReader;
  readonly #remote: string;
  readonly #contexts = new Map<number, Context>();
  #titles = { calling: '', called: '' };
  #slot: ReceivingSlot | undefined;
  #binding: StoreBinding | undefined;
  #inFlight: InFlight | undefined;
  #orphaned = false;

  constructor(socket: Socket, context: SessionContext) {
    this.#context = context;
    this.#remote = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    this.#messages = new MessageReader({
      command: (contextId, command) => this.#command(contextId, command),
      data: (bytes, last) => this.#data(bytes, last),
    });
    this.#association = new Association({
      socket,
      user: this,
      quickAck: context.quickAck,
      artimMs: context.limits.artimMs,
      idleMs: context.limits.idleMs,
    });
  }

  decide(request: AssociateRequest): AssociateAccept | AssociateReject {
    this.#titles = { calling: request.callingAeTitle, called: request.calledAeTitle };
    const admission = this.#context.admit(request, this.#remote);
    if (admission.answer.type === 'associate-reject') {
      this.#refused(`association rejected: ${admission.detail}`);
      return admission.answer;
    }
    this.#slot = admission.slot;
    this.#binding = admission.binding;
    this.#slot?.enter(this);
    for (const { id, result, transferSyntax } of admission.answer.contexts) {
      const proposed = request.contexts.find((context) => context.id === id);
      if (result === 0 && proposed) this.#contexts.set(id, { abstractSyntax: proposed.abstractSyntax, transferSyntax });
    }
    return admission.answer;
  }

  established(): void {
    this.#slot?.touch();
  }

  fragment(fragment: Parameters<AssociationUser['fragment']>[0]): void {
    this.#slot?.touch();
    this.#messages.push(fragment);
  }

  owes(): boolean {
    return this.#inFlight?.received === true;
  }

  get stalledByUs(): boolean {
    return this.#association.paused || this.owes();
  }

  ended(end: AssociationEnd): void {
    this.#slot?.leave(this);
    const cut = this.#inFlight !== undefined && !this.#inFlight.received;
    this.#inFlight?.stream.fail(new PacsError(end.kind === 'silent' ? 'timeout' : 'unreachable', describeEnd(end)));
    this.#inFlight = undefined;
    if (cut || end.kind === 'fault' || end.kind === 'silent') this.#refused(describeEnd(end));
    this.#context.ended(this);
  }

  orphan(): void {
    this.#orphaned = true;
    if (this.#inFlight !== undefined) return this.abort('its AE title was released');
    setTimeout(() => this.abort('its AE title was released'), orphanGraceMs).unref();
  }

  abort(detail: string): void {
    this.#association.abort({ kind: 'given-up', detail });
  }

  #command(contextId: number, command: Command): void {
    const context = this.#contexts.get(contextId);
    if (context === undefined) throw new MessageError(`presentation context ${contextId} was not accepted`);
    if (this.#inFlight !== undefined)
      throw new MessageError('a request came before the answer to the last one, and no window was negotiated');
    switch (command.field) {
      case commandField.echoRequest:
        return this.#answer(contextId, command, commandField.echoResponse, { status: status.success, comment: '' });
      case commandField.storeRequest:
        return this.#store(contextId, context, command);
      case commandField.cancelRequest:
        return; // nothing of ours can be cancelled
      default:
        return this.#swallow(contextId, context, command, status.unrecognizedOperation, 'operation not supported');
    }
  }

  #store(contextId: number, context: Context, command: Command): void {
    if (this.#orphaned) throw new MessageError('C-STORE after its AE title was released');
    if (!command.hasDataSet) throw new MessageError('C-STORE without a data set');
    const sopClassUid = parseUid(command.affectedSopClass ?? '');
    const sopInstanceUid = parseUid(command.affectedSopInstance ?? '');
    const transferSyntaxUid = parseUid(context.transferSyntax);
    const originator = command.moveOriginatorMessageId;
    if (sopInstanceUid === undefined || transferSyntaxUid === undefined)
      return this.#swallow(
        contextId,
        context,
        command,
        status.invalidInstance,
        'Affected SOP Instance UID is not a UID',
      );
    if (sopClassUid === undefined || sopClassUid !== context.abstractSyntax)
      return this.#swallow(
        contextId,
        context,
        command,
        status.classNotSupported,
        'SOP class is not that of its context',
      );
    if (this.#binding === undefined)
      return this.#swallow(contextId, context, command, status.outOfResources, 'nothing is expected here');
    if (originator !== undefined && this.#context.isForeignMove(originator, this.#slot))
      return this.#swallow(contextId, context, command, status.outOfResources, 'this object belongs to another C-MOVE');
    const instance = { sopClassUid, sopInstanceUid, transferSyntaxUid, moveOriginatorMessageId: originator };
    this.#receive(this.#begin(contextId, context, command), instance, this.#binding);
  }

  #receive(
    inFlight: InFlight,
    instance: {
      sopClassUid: Uid;
      sopInstanceUid: Uid;
      transferSyntaxUid: Uid;
      moveOriginatorMessageId: number | undefined;
    },
    binding: StoreBinding,
  ): void {
    const incoming: IncomingInstance = {
      ...instance,
      callingAeTitle: this.#titles.calling,
      calledAeTitle: this.#titles.called,
      data: inFlight.stream,
    };
    const settle = (outcome: Outcome): void => {
      inFlight.outcome = outcome;
      inFlight.stream.discard();
      this.#complete(inFlight);
    };
    // A handler that throws at once is a rejection like any other.
    void new Promise<void>((resolve) => resolve(binding.handler(incoming))).then(
      () => settle({ status: status.success, comment: '' }),
      (error: unknown) => settle(refusal(error)),
    );
  }

  /** The data set is read to its end and dropped: the peer gets `code` when it has sent all. */
  #swallow(contextId: number, context: Context, command: Command, code: number, comment: string): void {
    const outcome = { status: code, comment };
    if (!command.hasDataSet) return this.#answer(contextId, command, command.field | 0x8000, outcome);
    const inFlight = this.#begin(contextId, context, command);
    inFlight.outcome = outcome;
    inFlight.stream.discard();
  }

  #begin(contextId: number, context: Context, command: Command): InFlight {
    const stream = new InstanceStream(this.#context.limits.bufferedBytes, {
      full: () => this.#association.pause(),
      roomy: () => (this.#association.paused ? this.#association.resume() : undefined),
    });
    const { transferSyntax } = context;
    this.#inFlight = { contextId, command, stream, transferSyntax, bytes: 0, received: false, outcome: undefined };
    return this.#inFlight;
  }

  #data(bytes: Buffer, last: boolean): void {
    const inFlight = this.#inFlight;
    if (inFlight === undefined) return;
    inFlight.bytes += bytes.length;
    inFlight.stream.push(bytes);
    if (!last) return;
    inFlight.received = true;
    inFlight.stream.end();
    this.#complete(inFlight);
  }

  /** Answers once the bytes are all here and the handler has decided; a session that ended meanwhile answers nothing. */
  #complete(inFlight: InFlight): void {
    const { outcome, command, bytes, transferSyntax } = inFlight;
    if (this.#inFlight !== inFlight || !inFlight.received || outcome === undefined) return;
    this.#inFlight = undefined;
    this.#slot?.touch();
    if (outcome.status === status.success && this.#binding !== undefined)
      this.#context.journal.record({ name: 'ImageReceived', pacs: this.#binding.owner, bytes, transferSyntax });
    else this.#refused(`status 0x${outcome.status.toString(16)}: ${outcome.comment}`);
    this.#answer(inFlight.contextId, command, command.field | 0x8000, outcome);
  }

  #answer(contextId: number, command: Command, field: number, outcome: Outcome): void {
    const response: Command = {
      field,
      hasDataSet: false,
      status: outcome.status,
      ...(command.messageId === undefined ? {} : { respondedTo: command.messageId }),
      ...(command.affectedSopClass === undefined ? {} : { affectedSopClass: command.affectedSopClass }),
      ...(command.affectedSopInstance === undefined ? {} : { affectedSopInstance: command.affectedSopInstance }),
      ...(outcome.comment === '' ? {} : { errorComment: outcome.comment.slice(0, 64) }),
    };
    this.#association.together(() => this.#association.send(contextId, true, encodeCommand(response), true));
  }

  #refused(detail: string): void {
    this.#context.journal.record({
      name: 'StoreRefused',
      remote: this.#remote,
      calledAeTitle: this.#titles.called,
      detail,
    });
  }
}

/** The handler's own status when it gives a failure one; otherwise 0xA700, out of resources. */
function refusal(error: unknown): Outcome {
  const comment = error instanceof Error ? error.message : String(error);
  const own = error instanceof PacsError ? error.status : undefined;
  return { status: own === undefined || own === status.success ? status.outOfResources : own, comment };
}
