/** Hard limits of the upper layer: what a peer may make us hold or wait for. Lengths in bytes, times in milliseconds. */

/** Announced as our maximum P-DATA-TF length (PS3.8 §D.1); larger ones are refused. Larger values gained nothing when measured. */
export const maxDataPduLength = 131_072;
/** An A-ASSOCIATE-RQ of 128 contexts with 64 transfer syntaxes each stays under 300 KB. */
export const maxControlPduLength = 524_288;
/** PS3.8 §9.3.2.2: context ids are odd and fit one byte. */
export const maxPresentationContexts = 128;
/** A command set holds some fifteen short elements. */
export const maxCommandLength = 65_536;
/** One C-FIND identifier, sequences included. */
export const maxIdentifierLength = 1_048_576;
/** Sequences nested deeper than this are refused, so that parsing cannot exhaust the stack. */
export const maxSequenceDepth = 16;

export interface ReceiverLimits {
  /** Associations open at once, all AE titles together; the next is refused with "local limit exceeded". */
  readonly associations: number;
  /** ARTIM (PS3.8 §9.1.5): from TCP connection to a complete A-ASSOCIATE-RQ, and from the last PDU to the closing. */
  readonly artimMs: number;
  /** Longest silence of a peer that owes us the next byte or request. */
  readonly idleMs: number;
  /** Bytes of one instance held while its reader is slower than the PACS; beyond, the socket is paused. */
  readonly bufferedBytes: number;
}

export const defaultReceiverLimits: ReceiverLimits = {
  associations: 256,
  artimMs: 10_000,
  idleMs: 300_000,
  bufferedBytes: 524_288,
};
