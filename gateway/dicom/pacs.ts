/** What the rest of the gateway may ask of a PACS, in DIMSE terms (ci-sis §1.6). Implemented in this room. */
import type { AeTitle, SeriesInstanceUid, SopInstanceUid, StudyInstanceUid, Uid } from '../domain.ts';

/** One SCU operation failed; `kind` decides E1004 (unreachable), E1005 (silent), E003/E1104 (the rest). */
export class PacsError extends Error {
  readonly kind: 'unreachable' | 'timeout' | 'rejected' | 'protocol' | 'failure';
  /** DIMSE status, when the PACS gave one. */
  readonly status: number | undefined;
  constructor(kind: PacsError['kind'], message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PacsError';
    this.kind = kind;
    this.status = status;
  }
}

export interface FoundInstance {
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
  /** Empty when the PACS does not return it at IMAGE level (Orthanc): see `FoundSeries.sopClasses`. */
  readonly sopClassUid: Uid | undefined;
  readonly instanceNumber: number | undefined;
  readonly numberOfFrames: number | undefined;
}

export interface FoundSeries {
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly modality: string;
  readonly description: string;
  readonly seriesNumber: number | undefined;
}

/** A study as the PACS describes it. Strings decoded from the response's SpecificCharacterSet. */
export interface FoundStudy {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly studyDate: string;
  readonly studyTime: string;
  readonly studyDescription: string;
  readonly studyId: string;
  readonly patientId: string;
  readonly issuerOfPatientId: string;
  readonly otherPatientIds: readonly { readonly id: string; readonly issuer: string; readonly issuerOid: string }[];
  readonly patientBirthDate: string;
  readonly series: readonly FoundSeries[];
  readonly instances: readonly FoundInstance[];
  /** How it was asked: relational at IMAGE level, or per series. */
  readonly query: 'relational' | 'hierarchical';
}

/** An instance arriving by C-STORE. Bytes are the encoded data set as sent: never parsed, never re-encoded. */
export interface IncomingInstance {
  readonly sopClassUid: Uid;
  readonly sopInstanceUid: SopInstanceUid;
  readonly transferSyntaxUid: Uid;
  /** AE titles of the association, for the Part 10 header. */
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  /** Message id of the C-MOVE, when the PACS gives it. */
  readonly moveOriginatorMessageId: number | undefined;
  /**
   * Data-set bytes in order. Not reading it stops the PACS's socket (back-pressure); it throws when the association breaks.
   * Resolving the handler acknowledges the instance with Success; rejecting it answers 0xA700 or the error's status.
   */
  readonly data: AsyncIterable<Buffer>;
}

export type StoreHandler = (instance: IncomingInstance) => Promise<void>;

/** A destination AE title held for one C-MOVE; nobody else receives on it until `release`. */
export interface AeLease {
  readonly aeTitle: AeTitle;
  /** Instances stored to this AE title go to `handler`; `accept` orders the transfer syntaxes per SOP class (DB.SO.85). */
  receive(handler: StoreHandler, accept: readonly Uid[]): void;
  release(): void;
}

export interface MoveProgress {
  readonly completed: number;
  readonly remaining: number | undefined;
  readonly failed: number;
  readonly warning: number;
}

/** End of a C-MOVE, with the PACS's own final counts; a hint only, the KOS decides (gateway-anchors fact 8). */
export interface MoveOutcome extends MoveProgress {
  readonly status: number;
  readonly comment: string;
}

export interface Pacs {
  readonly name: string;
  /** C-ECHO round trip in milliseconds. @throws PacsError */
  echo(signal?: AbortSignal): Promise<number>;
  /** C-FIND of a study down to IMAGE; undefined when the PACS answers and knows nothing. @throws PacsError */
  findStudy(study: StudyInstanceUid, signal?: AbortSignal): Promise<FoundStudy | undefined>;
  /** Waits for a free AE title (DB.SO.121). @throws PacsError timeout when `signal` aborts first. */
  leaseAeTitle(signal?: AbortSignal): Promise<AeLease>;
  /** C-MOVE at SERIES level to the lease's AE title. Aborting sends C-CANCEL and then A-ABORT. @throws PacsError */
  moveSeries(
    request: { readonly lease: AeLease; readonly study: StudyInstanceUid; readonly series: SeriesInstanceUid },
    onProgress?: (progress: MoveProgress) => void,
    signal?: AbortSignal,
  ): Promise<MoveOutcome>;
  close(): Promise<void>;
}
