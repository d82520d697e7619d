/** C-STORE as requestor: encoded data sets sent as they are, many over one association (PS3.7 §9.1.1). */
import { commandField, status } from '../dimse/command.ts';
import { type AcceptedContext, Requestor, type RequestorOptions } from '../dimse/requestor.ts';
import { PacsError } from '../pacs.ts';

export interface OutgoingInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** The encoded data set, without preamble and group 0002; a stream for what is not wholly here yet. */
  readonly data: Buffer | AsyncIterable<Buffer>;
}

export interface StoreKind {
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
}

export interface StoreSender {
  /** Can instances of this kind be sent? */
  accepts(kind: StoreKind): boolean;
  /** @returns the status: 0x0000, or a warning (0xBxxx). @throws PacsError; of kind `failure` the association stays usable */
  send(instance: OutgoingInstance, signal?: AbortSignal): Promise<number>;
  release(): Promise<void>;
  abort(): void;
}

/**
 * Opens an association with one context per distinct kind, so that each object goes in the syntax it has.
 * @param kinds at most 128 distinct ones
 * @throws PacsError
 */
export async function openStoreSender(
  options: Omit<RequestorOptions, 'contexts' | 'extended'>,
  kinds: readonly StoreKind[],
  signal?: AbortSignal,
): Promise<StoreSender> {
  const distinct = new Map(kinds.map((kind) => [`${kind.sopClassUid} ${kind.transferSyntaxUid}`, kind]));
  if (distinct.size > 128)
    throw new Error(`${distinct.size} kinds of objects: one association carries 128, open several`);
  const contexts = [...distinct.values()].map(({ sopClassUid, transferSyntaxUid }) => ({
    abstractSyntax: sopClassUid,
    transferSyntaxes: [transferSyntaxUid],
  }));
  const requestor = await Requestor.open({ ...options, contexts }, signal);
  const contextOf = (kind: StoreKind): AcceptedContext | undefined =>
    requestor.context(kind.sopClassUid, [kind.transferSyntaxUid]);
  return {
    accepts: (kind) => contextOf(kind) !== undefined,
    async send(instance, signal) {
      const context = contextOf(instance);
      if (context === undefined)
        throw new PacsError('rejected', `the peer takes no ${instance.sopClassUid} in ${instance.transferSyntaxUid}`);
      const command = {
        field: commandField.storeRequest,
        affectedSopClass: instance.sopClassUid,
        affectedSopInstance: instance.sopInstanceUid,
        messageId: requestor.newMessageId(),
        priority: 0,
        hasDataSet: true,
      };
      let code = -1;
      for await (const response of requestor.request(context.id, command, instance.data, { signal }))
        code = response.command.status ?? -1;
      if (code !== status.success && code >> 12 !== 0xb)
        throw new PacsError(
          'failure',
          `C-STORE of ${instance.sopInstanceUid} ended with status 0x${code.toString(16)}`,
          code,
        );
      return code;
    },
    release: () => requestor.release(),
    abort: () => requestor.abort('the sender gave up'),
  };
}
