/** Protocol data units of the DICOM upper layer as plain data (PS3.8 §9.3). */

export interface ProposedContext {
  /** Odd, 1–255. */
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

export interface ContextAnswer {
  readonly id: number;
  /** 0 acceptance, 1 user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes not supported (PS3.8 table 9-18). */
  readonly result: number;
  /** Significant only when `result` is 0. */
  readonly transferSyntax: string;
}

/** Item 0x56: service-class application information, e.g. relational queries (PS3.4 §C.5.1.1). */
export interface ExtendedNegotiation {
  readonly sopClassUid: string;
  readonly information: Buffer;
}

export interface UserInformation {
  /** Largest P-DATA-TF the sender of this item accepts; 0 is no limit. */
  readonly maxPduLength: number;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
  readonly extended: readonly ExtendedNegotiation[];
}

interface Associate {
  /** Bit 0 is version 1, the only one (PS3.8 table 9-11). */
  readonly protocolVersion: number;
  /** Without the space padding. */
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly applicationContext: string;
  readonly user: UserInformation;
}

export interface AssociateRequest extends Associate {
  readonly type: 'associate-request';
  readonly contexts: readonly ProposedContext[];
}
export interface AssociateAccept extends Associate {
  readonly type: 'associate-accept';
  readonly contexts: readonly ContextAnswer[];
}
export interface AssociateReject {
  readonly type: 'associate-reject';
  readonly result: number;
  readonly source: number;
  readonly reason: number;
}
export interface ReleaseRequest {
  readonly type: 'release-request';
}
export interface ReleaseResponse {
  readonly type: 'release-response';
}
export interface Abort {
  readonly type: 'abort';
  /** 0 service user, 2 service provider. */
  readonly source: number;
  readonly reason: number;
}

/** Every PDU but P-DATA-TF, which is streamed (see `PduReader`). */
export type ControlPdu =
  AssociateRequest | AssociateAccept | AssociateReject | ReleaseRequest | ReleaseResponse | Abort;

/** Reasons of an A-ABORT by the provider (PS3.8 table 9-26). */
export const abortReason = {
  notSpecified: 0,
  unrecognizedPdu: 1,
  unexpectedPdu: 2,
  unexpectedParameter: 5,
  invalidParameter: 6,
} as const;

/** The peer's bytes break PS3.8; the association is aborted with `reason`. */
export class PduError extends Error {
  readonly reason: number;
  constructor(reason: number, message: string) {
    super(message);
    this.name = 'PduError';
    this.reason = reason;
  }
}

export const pduType = {
  associateRequest: 1,
  associateAccept: 2,
  associateReject: 3,
  data: 4,
  releaseRequest: 5,
  releaseResponse: 6,
  abort: 7,
} as const;
