/**
 * What the source side remembers (DB.SO.22): messages, reports, published KOS. Every method is one durable transaction.
 * Publication jobs have their own page, `jobs.ts`, on the same database.
 */
import { createHash } from 'node:crypto';
import type { SopInstanceUid, StudyInstanceUid } from '../../domain.ts';
import type { Submission } from '../../dmp/submission.ts';
import type { ReportReceived } from '../report/report.ts';
import type { Database, Row, Statement } from './database.ts';
import { endedStatement, type JobStand } from './jobs.ts';

export interface InboxEntry {
  readonly id: number;
  readonly controlId: string;
  readonly ris: string;
  readonly remote: string;
  readonly receivedAt: string;
  readonly body: Buffer;
}

export interface ArchivedReport {
  readonly documentId: string;
  readonly report: ReportReceived;
  readonly ris: string;
  readonly receivedAt: string;
}

/** A submission without its bytes: kept for later changes (FAQ 8801). */
export type ArchivedSubmission = Omit<Submission, 'kos'>;

export interface PublishedKos {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly pacs: string;
  readonly kosSopInstanceUid: SopInstanceUid;
  readonly kos: Buffer;
  readonly status: 'published' | 'unpublished';
  readonly entryUuid: string;
  readonly structureId: string;
  readonly submission: ArchivedSubmission;
  readonly publishedAt: string;
}

export interface Archive {
  /** Durable before it resolves. `known`: this very message is already there (sent again after a lost ACK). */
  receive(message: Omit<InboxEntry, 'id'>): Promise<{ readonly id: number; readonly known: boolean }>;
  /** Ids of messages taken in charge and not yet worked on, in the order they came; at most `limit`, above `after`. */
  unprocessed(after: number, limit: number): Promise<readonly number[]>;
  message(inboxId: number): Promise<InboxEntry | undefined>;
  /** A message whose report misses a datum of Table 1: kept, nothing to publish. @throws Overtaken when it was worked on meanwhile */
  markIncomplete(inboxId: number): Promise<void>;
  activeReports(study: StudyInstanceUid): Promise<readonly ArchivedReport[]>;
  report(documentId: string): Promise<ArchivedReport | undefined>;
  studiesOf(documentId: string): Promise<readonly StudyInstanceUid[]>;
  published(study: StudyInstanceUid): Promise<PublishedKos | undefined>;
}

export function documentKey(id: { readonly value: string; readonly authority: string }): string {
  return id.authority === '' ? id.value : `${id.authority}^${id.value}`;
}

function fingerprint(message: Omit<InboxEntry, 'id'>): string {
  return [message.ris, message.controlId, createHash('sha256').update(message.body).digest('hex')].join('\u0001');
}

export function createArchive(database: Database): Archive {
  return {
    async receive(message) {
      const [inserted, existing] = await database.transaction([
        {
          sql: `INSERT INTO inbox (fingerprint, control_id, ris, remote, received_at, body, state)
                VALUES (?, ?, ?, ?, ?, ?, 'received') ON CONFLICT (fingerprint) DO NOTHING RETURNING id`,
          params: [
            fingerprint(message),
            message.controlId,
            message.ris,
            message.remote,
            message.receivedAt,
            message.body,
          ],
        },
        { sql: 'SELECT id FROM inbox WHERE fingerprint = ?', params: [fingerprint(message)] },
      ]);
      return { id: Number(existing?.[0]?.['id']), known: inserted?.length === 0 };
    },
    async unprocessed(after, limit) {
      const rows = await database.query(
        `SELECT id FROM inbox WHERE state = 'received' AND id > ? ORDER BY id LIMIT ?`,
        [after, limit],
      );
      return rows.map((row) => Number(row['id']));
    },
    async message(inboxId) {
      const [row] = await database.query('SELECT * FROM inbox WHERE id = ?', [inboxId]);
      return row && toMessage(row);
    },
    async markIncomplete(inboxId) {
      await database.transaction([workedOn(inboxId, 'incomplete')]);
    },
    async activeReports(study) {
      const rows = await database.query(
        `SELECT d.* FROM documents d JOIN document_studies s ON s.document_id = d.id
         WHERE s.study_uid = ? AND d.active = 1 ORDER BY d.inbox_id`,
        [study],
      );
      return rows.map(toReport);
    },
    async report(documentId) {
      const [row] = await database.query('SELECT * FROM documents WHERE id = ?', [documentId]);
      return row && toReport(row);
    },
    async studiesOf(documentId) {
      const rows = await database.query(
        'SELECT study_uid FROM document_studies WHERE document_id = ? ORDER BY study_uid',
        [documentId],
      );
      return rows.map((row) => String(row['study_uid']) as StudyInstanceUid);
    },
    async published(study) {
      const [row] = await database.query('SELECT * FROM manifests WHERE study_uid = ?', [study]);
      return row && toPublished(row);
    },
  };
}

function toMessage(row: Row): InboxEntry {
  return {
    id: Number(row['id']),
    controlId: String(row['control_id']),
    ris: String(row['ris']),
    remote: String(row['remote']),
    receivedAt: String(row['received_at']),
    body: Buffer.from(row['body'] as Uint8Array),
  };
}

/** First of its transaction: of two that work on the same message, the second waits here for the first, and then stops. */
function workedOn(inboxId: number, state: 'processed' | 'incomplete'): Statement {
  return {
    sql: `UPDATE inbox SET state = ? WHERE id = ? AND state = 'received' RETURNING id`,
    params: [state, inboxId],
    must: `message ${inboxId} was worked on meanwhile`,
  };
}

function toReport(row: Row): ArchivedReport {
  return {
    documentId: String(row['id']),
    report: JSON.parse(String(row['report'])) as ReportReceived,
    ris: String(row['ris']),
    receivedAt: String(row['received_at']),
  };
}

function toPublished(row: Row): PublishedKos {
  return {
    studyInstanceUid: String(row['study_uid']) as StudyInstanceUid,
    pacs: String(row['pacs']),
    kosSopInstanceUid: String(row['kos_uid']) as SopInstanceUid,
    kos: Buffer.from(row['kos'] as Uint8Array),
    status: row['status'] === 'published' ? 'published' : 'unpublished',
    entryUuid: String(row['entry_uuid']),
    structureId: String(row['structure_id']),
    submission: JSON.parse(String(row['submission'])) as ArchivedSubmission,
    publishedAt: String(row['published_at']),
  };
}

export interface Intake {
  readonly inboxId: number;
  readonly documentId: string;
  readonly report: ReportReceived;
  readonly ris: string;
  readonly at: string;
  /** One job per study, in order. */
  readonly jobs: readonly { readonly kind: 'publish' | 'unpublish'; readonly study: StudyInstanceUid }[];
}

const newJob = `INSERT INTO jobs (kind, cause, study_uid, document_id, state, next_at, created_at, updated_at) VALUES (?, ?, ?, ?, 'queued', ?, ?, ?)`;

/** The PACS says an exam changed: one job for each study published here, the message marked as worked on. */
export function examChangeStatements(change: {
  readonly inboxId: number;
  readonly studies: readonly { readonly study: StudyInstanceUid; readonly documentId: string }[];
  readonly at: string;
}): readonly Statement[] {
  const { at } = change;
  return [
    workedOn(change.inboxId, 'processed'),
    ...change.studies.map(({ study, documentId }) => ({
      sql: newJob,
      params: ['publish', 'exam-change', study, documentId, at, at, at],
    })),
  ];
}

/** The report, its lineage and its jobs, and the message marked as worked on: one transaction. */
export function intakeStatements(intake: Intake): readonly Statement[] {
  const { report, documentId, at } = intake;
  const active = report.action === 'deletion' ? 0 : 1;
  const replaced = report.document.replaces && documentKey(report.document.replaces);
  return [
    workedOn(intake.inboxId, 'processed'),
    {
      sql: `INSERT INTO documents (id, inbox_id, active, replaces, report, ris, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET inbox_id = excluded.inbox_id, active = excluded.active, replaces = excluded.replaces,
              report = excluded.report, received_at = excluded.received_at`,
      params: [documentId, intake.inboxId, active, replaced ?? null, JSON.stringify(report), intake.ris, at],
    },
    ...(replaced !== undefined && replaced !== documentId
      ? [{ sql: 'UPDATE documents SET active = 0 WHERE id = ?', params: [replaced] }]
      : []),
    ...report.studies.map(({ studyInstanceUid }) => ({
      sql: 'INSERT INTO document_studies (document_id, study_uid) VALUES (?, ?) ON CONFLICT DO NOTHING',
      params: [documentId, studyInstanceUid],
    })),
    ...intake.jobs.map(({ kind, study }) => ({
      sql: newJob,
      params: [kind, 'report', study, documentId, at, at, at],
    })),
  ];
}

/** The DMP acknowledged: the archive takes the new KOS, the lineage grows, the job ends. One transaction. */
export function publishedStatements(done: {
  readonly job: JobStand;
  readonly documentId: string;
  readonly pacs: string;
  readonly submission: ArchivedSubmission;
  readonly kos: Uint8Array;
  readonly entryUuid: string;
  readonly replacedKos: SopInstanceUid | undefined;
  readonly at: string;
}): readonly Statement[] {
  const { submission, at } = done;
  const { entry } = submission;
  return [
    endedStatement(done.job, 'published', { at }),
    {
      sql: `INSERT INTO manifests (study_uid, pacs, kos_uid, kos, status, entry_uuid, structure_id, patient_matricule, submission, published_at, updated_at)
            VALUES (?, ?, ?, ?, 'published', ?, ?, ?, ?, ?, ?)
            ON CONFLICT (study_uid) DO UPDATE SET pacs = excluded.pacs, kos_uid = excluded.kos_uid, kos = excluded.kos, status = 'published',
              entry_uuid = excluded.entry_uuid, structure_id = excluded.structure_id, patient_matricule = excluded.patient_matricule,
              submission = excluded.submission, published_at = excluded.published_at, updated_at = excluded.updated_at`,
      params: [
        entry.studyInstanceUid,
        done.pacs,
        entry.uniqueId,
        done.kos,
        done.entryUuid,
        submission.user.professional.organization.id,
        entry.patient.matricule,
        JSON.stringify(submission),
        at,
        at,
      ],
    },
    ...(done.replacedKos === undefined
      ? []
      : [{ sql: 'UPDATE lineage SET ended_at = ? WHERE kos_uid = ?', params: [at, done.replacedKos] }]),
    {
      sql: `INSERT INTO lineage (kos_uid, study_uid, document_id, replaces, entry_uuid, submission_uid, published_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      params: [
        entry.uniqueId,
        entry.studyInstanceUid,
        done.documentId,
        done.replacedKos ?? null,
        done.entryUuid,
        submission.uniqueId,
        at,
      ],
    },
  ];
}

/** The DMP acknowledged the removal: status "depublie" only now (DB0 §4.5.8.1 note 2); id and status stay for HTTP 410. */
export function removedStatements(done: {
  readonly job: JobStand;
  readonly study: StudyInstanceUid;
  readonly kos: SopInstanceUid;
  readonly at: string;
}): readonly Statement[] {
  return [
    endedStatement(done.job, 'removed', { at: done.at }),
    {
      sql: `UPDATE manifests SET status = 'unpublished', updated_at = ? WHERE study_uid = ?`,
      params: [done.at, done.study],
    },
    { sql: 'UPDATE lineage SET ended_at = ? WHERE kos_uid = ?', params: [done.at, done.kos] },
  ];
}
