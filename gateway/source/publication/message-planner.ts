/** What a kept message sets off: jobs for a report, jobs for an exam that changed, an alert for a report that misses data. */
import type { StudyInstanceUid } from '../../domain.ts';
import type { Journal } from '../../journal/events.ts';
import {
  type Archive,
  documentKey,
  examChangeStatements,
  type InboxEntry,
  intakeStatements,
} from '../archive/archive.ts';
import type { Database } from '../archive/database.ts';
import type { ReportReading, ReportReceived } from '../report/report.ts';
import { arrow } from './arrows.ts';
import { planJobs } from './intake-plan.ts';

export interface PlannerDependencies {
  readonly archive: Archive;
  readonly database: Database;
  readonly journal: Journal;
  /** There is a new job. */
  readonly wake: () => void;
}

export type MessagePlanner = (entry: InboxEntry, reading: ReportReading) => Promise<void>;

export function createMessagePlanner(deps: PlannerDependencies): MessagePlanner {
  return async (entry, reading) => {
    if (reading.kind === 'understood') await planReport(deps, entry, reading.report);
    else if (reading.kind === 'examChange')
      await planExamChange(deps, entry, [reading.studyInstanceUid, ...reading.otherStudyInstanceUids]);
    else await keepIncomplete(deps, entry, reading);
    arrow('intake-committed', entry.controlId);
    deps.wake();
  };
}

/** Acknowledged as incomplete; `refused` only if a newer version reads the same bytes otherwise: kept all the same. */
async function keepIncomplete(
  { archive, journal }: PlannerDependencies,
  entry: InboxEntry,
  reading: Extract<ReportReading, { readonly kind: 'incomplete' | 'refused' }>,
): Promise<void> {
  await archive.markIncomplete(entry.id);
  const fields = reading.faults.map(({ field, rule }) => `${field}: ${rule}`);
  const structureId = reading.kind === 'incomplete' ? (reading.partial.legalAuthenticator?.organization.id ?? '') : '';
  journal.record({
    name: 'ReportIncomplete',
    controlId: entry.controlId,
    ris: entry.ris,
    code: 'E005',
    fields,
    structureId,
  });
}

async function planReport(
  { archive, database, journal }: PlannerDependencies,
  entry: InboxEntry,
  report: ReportReceived,
): Promise<void> {
  const documentId = documentKey(report.document.id);
  const replaces = report.document.replaces && documentKey(report.document.replaces);
  // a document sent again under its own id may have dropped a study too (ci-sis §16 row 8)
  const earlier = [
    ...(await archive.studiesOf(documentId)),
    ...(replaces === undefined ? [] : await archive.studiesOf(replaces)),
  ];
  const jobs = planJobs(report, earlier);
  await database.transaction(
    intakeStatements({ inboxId: entry.id, documentId, report, ris: entry.ris, at: entry.receivedAt, jobs }),
  );
  journal.record({
    name: 'ReportUnderstood',
    controlId: entry.controlId,
    ris: entry.ris,
    remote: entry.remote,
    messageType: report.message.type === 'MDM' ? 'MDM' : 'ORU',
    documentId,
    action: report.action,
    studies: report.studies.map(({ studyInstanceUid }) => studyInstanceUid),
    accessionNumbers: report.orders.map(
      ({ accessionNumber }) => `${accessionNumber.value}^^^${accessionNumber.authority}`,
    ),
    structureId: report.author.organization.id,
    professionalId: report.legalAuthenticator.id,
    patient: { matricule: report.patient.matricule, oid: report.patient.oid },
  });
}

async function planExamChange(
  { archive, database, journal }: PlannerDependencies,
  entry: InboxEntry,
  studies: readonly StudyInstanceUid[],
): Promise<void> {
  const known: { study: StudyInstanceUid; documentId: string }[] = [];
  for (const study of studies) {
    const last = (await archive.activeReports(study)).at(-1);
    if (last && (await archive.published(study))?.status === 'published')
      known.push({ study, documentId: last.documentId });
  }
  await database.transaction(examChangeStatements({ inboxId: entry.id, studies: known, at: entry.receivedAt }));
  journal.record({
    name: 'ExamChanged',
    controlId: entry.controlId,
    remote: entry.remote,
    studies,
    known: known.length,
  });
}
