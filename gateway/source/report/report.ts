/** What the RIS told us, as plain frozen data: the HL7 message and the CDA header, nothing of the body (ci-sis §2, §3). */
import type {
  Code,
  Identifier,
  InsIdentity,
  Organization,
  Professional,
  StudyInstanceUid,
  Visibility,
} from '../../domain.ts';

export type ReportAction = 'initial' | 'replacement' | 'deletion';

/** One documentationOf/serviceEvent merged per study (ci-sis §3.3). Times are HL7 TS as written. */
export interface ReportedStudy {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly modalities: readonly Code[];
  readonly regions: readonly Code[];
  /** LOINC act first, CCAM translations after. */
  readonly acts: readonly Code[];
  readonly start?: string;
  readonly stop?: string;
  readonly performer?: Organization;
  readonly practiceSetting?: Code;
}

/** inFulfillmentOf/order: accession number and order placer number of the same order (ci-sis §4.5). */
export interface ReportedOrder {
  readonly accessionNumber: Identifier;
  readonly placerOrderNumber: Identifier;
}

export interface MessageHeader {
  readonly controlId: string;
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  readonly receivingApplication: string;
  readonly receivingFacility: string;
  readonly type: string;
  readonly event: string;
  readonly version: string;
  readonly processingId: string;
  readonly characterSet: string;
}

/** A report understood in full: every datum of DB0 Table 1 is there. */
export interface ReportReceived {
  readonly message: MessageHeader;
  readonly action: ReportAction;
  /** DESTDMP: absent means no publication and an alert (ci-sis §2.6). */
  readonly publishToDmp: boolean | undefined;
  readonly visibilityChange: boolean;
  readonly secretConnection: boolean;
  readonly visibility: Visibility;
  readonly document: {
    readonly id: Identifier;
    /** A second document of the same ORU (N1 + N3): registered too. */
    readonly otherIds: readonly Identifier[];
    readonly setId: string;
    readonly version: number;
    readonly replaces?: Identifier;
    readonly creationTime: string;
    readonly title: string;
    readonly confidentiality: Code;
    readonly language: string;
    readonly level: 'N1' | 'N3';
  };
  readonly patient: InsIdentity;
  /** Local patient id and its authority, from PID-3 (CX.5 = PI). */
  readonly localPatientId: Identifier;
  /** PID-32 VALI. */
  readonly insQualified: boolean;
  readonly patientClass: string;
  readonly orders: readonly ReportedOrder[];
  readonly studies: readonly ReportedStudy[];
  readonly author: Professional;
  readonly legalAuthenticator: Professional;
  readonly healthcareFacilityType?: Code;
}

/** One thing wrong with a message, in words its sender can act on. */
export interface ReportFault {
  /** E005 for a missing datum of Table 1, or an HL7 table 0357 code for a message that can't be accepted. */
  readonly code: string;
  /** HL7 location (PID-3, OBX-5) or XPath in the CDA. */
  readonly field: string;
  readonly rule: string;
  readonly advice: string;
  /** DB0/ci-sis clause. */
  readonly source: string;
}

/** OMI^O23: the PACS says that the content of an exam changed (ci-sis §2.8). Only the study counts: a C-FIND tells the rest. */
export interface ExamChange {
  readonly message: MessageHeader;
  readonly studyInstanceUid: StudyInstanceUid;
  /** Further IPC segments of the same message, each study once. */
  readonly otherStudyInstanceUids: readonly StudyInstanceUid[];
  /** IPC-1, empty when absent. */
  readonly accessionNumber: string;
}

export type ReportReading =
  | { readonly kind: 'understood'; readonly report: ReportReceived; readonly warnings: readonly ReportFault[] }
  | ({ readonly kind: 'examChange' } & ExamChange)
  /** Syntactically right, a business datum is missing: AA + E005, journalled, no KOS (ci-sis §2.9). */
  | {
      readonly kind: 'incomplete';
      readonly message: MessageHeader;
      readonly faults: readonly ReportFault[];
      readonly partial: Partial<ReportReceived>;
    }
  /** Not acceptable: AE or AR with ERR. */
  | {
      readonly kind: 'refused';
      readonly acknowledgement: 'AE' | 'AR';
      readonly message: MessageHeader | undefined;
      readonly faults: readonly ReportFault[];
    };
