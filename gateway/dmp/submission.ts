/** A submission to the DMP as plain data: what TD2.1 says, before any XML (ci-sis §5, §6). Times are UTC yyyyMMddHHmmss. */
import type { Code, Identifier, InsIdentity, Professional, StudyInstanceUid, Uid, Visibility } from '../domain.ts';

/** DocumentEntry of a KOS (ci-sis §5.2, §5.3). */
export interface KosEntry {
  /** = KOS SOPInstanceUID. */
  readonly uniqueId: Uid;
  readonly creationTime: string;
  readonly serviceStartTime?: string;
  readonly serviceStopTime?: string;
  readonly languageCode: string;
  readonly patient: InsIdentity;
  readonly localPatientId: Identifier;
  readonly author: Professional;
  readonly legalAuthenticator: Professional;
  readonly confidentiality: Code;
  readonly visibility: Visibility;
  readonly healthcareFacilityType: Code;
  readonly practiceSetting: Code;
  /** Modalities (DCM), regions (SNOMED), acts (CCAM), each once. */
  readonly eventCodes: readonly Code[];
  readonly accessionNumbers: readonly Identifier[];
  readonly placerOrderNumbers: readonly Identifier[];
  readonly studyInstanceUid: StudyInstanceUid;
}

/** Who speaks to the DMP (VIHF, ci-sis §6.4). */
export interface DmpUser {
  readonly professional: Professional;
  /** SAxx */
  readonly sector: string;
  readonly secretConnection: boolean;
  /** When the report reached us, UTC ISO 8601: AuthnInstant. */
  readonly authenticatedAt: string;
}

export interface Submission {
  /** OID of the submission set; the same on every retry of the same submission. */
  readonly uniqueId: Uid;
  /** OID: Signature/@Id and uniqueId of the signature entry. */
  readonly signatureId: Uid;
  readonly submissionTime: string;
  readonly sourceId: Uid;
  readonly contentType: Code;
  readonly entry: KosEntry;
  readonly kos: Uint8Array;
  /** entryUUID (urn:uuid:…) this KOS replaces: TD2.1b. */
  readonly replaces?: string;
  readonly user: DmpUser;
}

export type DmpOutcome =
  /** `alreadyRegistered`: the DMP held this very uniqueId, from an earlier try of ours. */
  | { readonly kind: 'published'; readonly entryUuid: string; readonly alreadyRegistered: boolean }
  /** Definitive: E006 or E007 with the DMP's own code and text (ci-sis §6.8). */
  | { readonly kind: 'refused'; readonly code: 'E006' | 'E007'; readonly dmpCode: string; readonly detail: string }
  /** Technical: stays in the queue, retried with back-off. */
  | { readonly kind: 'unavailable'; readonly detail: string };

/** TD3.3c: takes a published KOS out of the DMP (ci-sis §6.7). */
export interface Removal {
  /** OID of the submission set that carries the removal; the same on every retry. */
  readonly uniqueId: Uid;
  readonly submissionTime: string;
  readonly sourceId: Uid;
  readonly contentType: Code;
  readonly entryUuid: string;
  readonly patient: InsIdentity;
  readonly user: DmpUser;
}

export type RemovalOutcome = { readonly kind: 'removed' } | Exclude<DmpOutcome, { readonly kind: 'published' }>;

export type EntrySearch =
  | { readonly kind: 'found'; readonly entryUuid: string }
  /** The DMP answered and holds none, or hides it: deleted or masked by the patient (ci-sis §16 row 57). */
  | { readonly kind: 'absent' }
  | Exclude<DmpOutcome, { readonly kind: 'published' }>;

/** TD2.1 / TD2.1b, TD3.3c, and the search that tells what the DMP already holds. */
export interface DmpClient {
  remove(removal: Removal, signal?: AbortSignal): Promise<RemovalOutcome>;
  publish(submission: Submission, signal?: AbortSignal): Promise<DmpOutcome>;
  /** TD3.1b GetDocuments by uniqueId → entryUUID. */
  findEntryUuid(uniqueId: Uid, user: DmpUser, patient: InsIdentity, signal?: AbortSignal): Promise<EntrySearch>;
  close(): Promise<void>;
}
