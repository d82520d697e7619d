/** Fragments to messages (PS3.7 §8, PS3.8 annex E): a command set, then its data set if it says so, on one context. */
import { maxCommandLength } from '../limits.ts';
import type { Fragment } from '../pdu/pdu-reader.ts';
import { type Command, decodeCommand } from './command.ts';

export interface MessageSink {
  /** The data set, if any, follows by `data`. */
  command(contextId: number, command: Command): void;
  /** Bytes of the data set of the last command, in order; `last` with the final ones (maybe empty). */
  data(bytes: Buffer, last: boolean): void;
}

/** The order of fragments breaks PS3.7. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
}

export class MessageReader {
  readonly #sink: MessageSink;
  #command: Buffer[] = [];
  #commandLength = 0;
  #contextId = 0;
  #expecting: 'command' | 'rest of command' | 'data set' = 'command';

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** True while a command waits for its data set to be complete. */
  get inDataSet(): boolean {
    return this.#expecting === 'data set';
  }

  /** @throws MessageError, CommandError */
  push(fragment: Fragment): void {
    const wanted = this.#expecting !== 'data set';
    if (fragment.isCommand !== wanted)
      throw new MessageError(
        `a ${fragment.isCommand ? 'command' : 'data set'} fragment came where ${this.#expecting} was due`,
      );
    if (this.#expecting !== 'command' && fragment.contextId !== this.#contextId)
      throw new MessageError(`context ${fragment.contextId} interrupts a message of context ${this.#contextId}`);
    this.#contextId = fragment.contextId;
    if (fragment.isCommand) this.#pushCommand(fragment);
    else this.#pushData(fragment);
  }

  #pushCommand(fragment: Fragment): void {
    this.#expecting = 'rest of command';
    this.#commandLength += fragment.bytes.length;
    if (this.#commandLength > maxCommandLength)
      throw new MessageError(`a command set is longer than ${maxCommandLength} bytes`);
    if (fragment.bytes.length > 0) this.#command.push(fragment.bytes);
    if (!fragment.last) return;
    const command = decodeCommand(Buffer.concat(this.#command));
    this.#command = [];
    this.#commandLength = 0;
    this.#expecting = command.hasDataSet ? 'data set' : 'command';
    this.#sink.command(fragment.contextId, command);
  }

  #pushData(fragment: Fragment): void {
    if (fragment.last) this.#expecting = 'command';
    this.#sink.data(fragment.bytes, fragment.last);
  }
}
