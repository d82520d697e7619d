/**
 * The one catalogue of what can happen in a gateway (architecture §4.3, decision 10): every event has a name and fields;
 * `catalogue.ts` says its level, its sentence, and which metric, audit record and statistic it feeds.
 * Nothing here may carry an access token, and patient traits stay in the fields named for audit.
 */
import type { ErrorCode } from './error-codes.ts';

interface Who {
  /** INS matricule and OID, for audit only: never logged, never a label. */
  readonly patient?: { readonly matricule: string; readonly oid: string };
}

export type JournalEvent =
  | { readonly name: 'GatewayStarted'; readonly revision: string }
  | { readonly name: 'GatewayStopping'; readonly signal: string }
  | { readonly name: 'ConfigLoaded'; readonly revision: string }
  | { readonly name: 'ConfigRefused'; readonly revision: string; readonly path: string; readonly rule: string }
  /** `reason` is that of the condition ArchiveReady. */
  | { readonly name: 'ArchiveAway'; readonly reason: string; readonly detail: string }
  | { readonly name: 'ArchiveBack'; readonly detail: string }
  /** This gateway plans messages and publishes, of several on one archive. */
  | { readonly name: 'DutyTaken' }
  | { readonly name: 'DutyLost'; readonly detail: string }
  | { readonly name: 'DutyRefused'; readonly detail: string }
  /** Another gateway, on duty since, took the job further: what this one came to was not written. */
  | { readonly name: 'JobOvertaken'; readonly job: string; readonly study: string; readonly detail: string }
  | {
      readonly name: 'WhitelistLoaded';
      readonly domains: number;
      readonly ownEntry: boolean;
      readonly signedAt: string;
    }
  | { readonly name: 'WhitelistRefused'; readonly reason: string; readonly detail: string }
  | {
      readonly name: 'MessageReceived';
      readonly controlId: string;
      readonly ris: string;
      readonly remote: string;
      readonly type: string;
      readonly bytes: number;
    }
  | {
      readonly name: 'MessageRefused';
      readonly controlId: string;
      readonly remote: string;
      readonly acknowledgement: 'AE' | 'AR';
      readonly field: string;
      readonly rule: string;
    }
  | ({
      readonly name: 'ReportUnderstood';
      readonly controlId: string;
      readonly ris: string;
      readonly remote: string;
      readonly messageType: 'ORU' | 'MDM';
      readonly documentId: string;
      readonly action: string;
      readonly studies: readonly string[];
      readonly accessionNumbers: readonly string[];
      readonly structureId: string;
      readonly professionalId: string;
    } & Who)
  | {
      readonly name: 'ReportIncomplete';
      readonly controlId: string;
      readonly ris: string;
      readonly code: 'E005';
      readonly fields: readonly string[];
      readonly structureId: string;
    }
  | {
      readonly name: 'PublicationDecided';
      readonly job: string;
      readonly study: string;
      readonly decision: string;
      readonly reason: string;
      /** Values that the KOS could not carry as given (transliterated, cut): how many, never which. */
      readonly notes: number;
    }
  | {
      readonly name: 'PublicationWaiting';
      readonly job: string;
      readonly study: string;
      readonly code: ErrorCode;
      readonly detail: string;
      readonly retryAt: string;
    }
  | ({
      readonly name: 'PublicationFailed';
      readonly job: string;
      readonly study: string;
      readonly structureId: string;
      readonly code: ErrorCode;
      readonly detail: string;
      readonly dmpCode?: string;
    } & Who)
  | ({
      readonly name: 'KosPublished';
      readonly job: string;
      readonly study: string;
      readonly kos: string;
      readonly entryUuid: string;
      readonly pacs: string;
      readonly structureId: string;
      readonly professionalId: string;
      readonly instances: number;
      readonly replaced: boolean;
      readonly alreadyRegistered: boolean;
    } & Who)
  | {
      readonly name: 'ExamChanged';
      readonly controlId: string;
      readonly remote: string;
      readonly studies: readonly string[];
      readonly known: number;
    }
  | ({
      readonly name: 'KosRemoved';
      readonly job: string;
      readonly study: string;
      readonly kos: string;
      readonly entryUuid: string;
      readonly structureId: string;
    } & Who)
  | {
      readonly name: 'PacsQueried';
      readonly pacs: string;
      readonly study: string;
      readonly instances: number;
      readonly query: string;
      readonly seconds: number;
    }
  | {
      readonly name: 'PacsQueryFailed';
      readonly pacs: string;
      readonly study: string;
      readonly kind: string;
      readonly detail: string;
    }
  | {
      readonly name: 'PacsEchoed';
      readonly pacs: string;
      readonly up: boolean;
      readonly detail: string;
      readonly seconds: number;
    }
  | {
      readonly name: 'RetrieveStarted';
      readonly request: string;
      readonly pacs: string;
      readonly study: string;
      readonly series: string;
      readonly peer: string;
      readonly remote: string;
    }
  | {
      readonly name: 'RetrieveCompleted';
      readonly request: string;
      readonly pacs: string;
      readonly study: string;
      readonly series: string;
      readonly peer: string;
      readonly remote: string;
      readonly professionalId: string;
      readonly situation: string;
      readonly structureId: string;
      readonly retrieveLocationUid: string;
      readonly instances: number;
      readonly bytes: number;
      readonly transferSyntaxes: Readonly<Record<string, number>>;
      readonly modality: string;
      readonly firstImageSeconds: number;
      readonly seconds: number;
    }
  | {
      readonly name: 'RetrieveRefused';
      readonly request: string;
      readonly pacs: string;
      readonly study: string;
      readonly series: string;
      readonly peer: string;
      readonly remote: string;
      readonly professionalId: string;
      readonly situation: string;
      readonly code: ErrorCode;
      readonly httpStatus: number;
      readonly detail: string;
    }
  | {
      readonly name: 'RetrieveAborted';
      readonly request: string;
      readonly pacs: string;
      readonly study: string;
      readonly series: string;
      readonly peer: string;
      readonly code: ErrorCode;
      readonly instances: number;
      readonly expected: number;
      readonly detail: string;
    }
  | {
      readonly name: 'MoveCompleted';
      readonly pacs: string;
      readonly study: string;
      readonly series: string;
      readonly status: number;
      readonly completed: number;
      readonly failed: number;
      readonly seconds: number;
    }
  | {
      readonly name: 'MoveFailed';
      readonly pacs: string;
      readonly study: string;
      readonly series: string;
      readonly kind: string;
      readonly detail: string;
    }
  | { readonly name: 'ImageReceived'; readonly pacs: string; readonly bytes: number; readonly transferSyntax: string }
  | { readonly name: 'StoreRefused'; readonly remote: string; readonly calledAeTitle: string; readonly detail: string }
  /** Mutual TLS refused, at our own door or at the ingress. */
  | {
      readonly name: 'HandshakeRefused';
      readonly remote: string;
      readonly serverName: string;
      readonly detail: string;
      readonly code: 'E1101';
    }
  | { readonly name: 'InternalError'; readonly where: string; readonly detail: string };

export type EventName = JournalEvent['name'];

export interface Journal {
  record(event: JournalEvent): void;
}
