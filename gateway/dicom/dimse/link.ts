/** Associations to one PACS: one per operation, ended in order when it succeeds and by A-ABORT when it does not. */
import type { PacsConfig } from '../../../common/contract/gateway-config.ts';
import type { AeTitle } from '../../domain.ts';
import type { QuickAck } from '../association/quick-ack.ts';
import { PacsError } from '../pacs.ts';
import type { ExtendedNegotiation } from '../pdu/pdu.ts';
import { explicitVrLittleEndian, implicitVrLittleEndian } from '../uids.ts';
import { Requestor } from './requestor.ts';

/** The accepted context of the operation. */
export interface LinkContext {
  readonly id: number;
  /** Explicit VR Little Endian, or Implicit. */
  readonly explicit: boolean;
}

export class Link {
  readonly #config: PacsConfig;
  readonly #calling: AeTitle;
  readonly #quickAck: QuickAck;
  readonly #clock: () => number;
  readonly #open = new Set<Requestor>();

  constructor(config: PacsConfig, calling: AeTitle, quickAck: QuickAck, clock: () => number) {
    this.#config = config;
    this.#calling = calling;
    this.#quickAck = quickAck;
    this.#clock = clock;
  }

  /** Runs `work` over an association that offers one service. @throws PacsError, and what `work` throws */
  async use<T>(
    abstractSyntax: string,
    extended: readonly ExtendedNegotiation[] | undefined,
    signal: AbortSignal | undefined,
    work: (requestor: Requestor, context: LinkContext) => Promise<T>,
  ): Promise<T> {
    const requestor = await this.#associate(abstractSyntax, extended ?? [], signal);
    this.#open.add(requestor);
    try {
      const context = requestor.context(abstractSyntax);
      if (context === undefined) throw this.#notOffered(abstractSyntax);
      const explicit = context.transferSyntax === explicitVrLittleEndian;
      const result = await work(requestor, { id: context.id, explicit });
      // The result is there; the peer's A-RELEASE-RP is not worth waiting for.
      void requestor.release().then(() => this.#open.delete(requestor));
      return result;
    } catch (error) {
      requestor.abort('the operation failed');
      this.#open.delete(requestor);
      throw error;
    }
  }

  /** No association is open. */
  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  close(): void {
    for (const requestor of this.#open) requestor.abort('the gateway is stopping');
    this.#open.clear();
  }

  async #associate(
    abstractSyntax: string,
    extended: readonly ExtendedNegotiation[],
    signal: AbortSignal | undefined,
  ): Promise<Requestor> {
    const { host, port, aeTitle, connectTimeoutMs, responseTimeoutMs } = this.#config;
    const options = {
      host,
      port,
      callingAeTitle: this.#calling,
      calledAeTitle: aeTitle,
      contexts: [{ abstractSyntax, transferSyntaxes: [explicitVrLittleEndian, implicitVrLittleEndian] }],
      extended,
      connectTimeoutMs,
      responseTimeoutMs,
      quickAck: this.#quickAck,
      clock: this.#clock,
    };
    return await Requestor.open(options, signal);
  }

  #notOffered(abstractSyntax: string): PacsError {
    const { name } = this.#config;
    return new PacsError('rejected', `${name} does not offer ${abstractSyntax} to ${this.#calling}: allow it there`);
  }
}
