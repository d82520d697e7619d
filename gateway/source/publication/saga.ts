/** One step of one job: run it, write what follows from it, tell the journal. The only place where a job's row changes state. */
import type { DmpClient } from '../../dmp/submission.ts';
import type { ErrorCode } from '../../journal/error-codes.ts';
import type { Journal } from '../../journal/events.ts';
import { type ArchivedReport, publishedStatements, removedStatements } from '../archive/archive.ts';
import type { Database } from '../archive/database.ts';
import type { Job, JobQueue } from '../archive/jobs.ts';
import { arrow } from './arrows.ts';
import { type BuiltResult, stepBuilt } from './step-built.ts';
import { type QueuedDependencies, type QueuedResult, stepQueued } from './step-queued.ts';
import { backOff, next } from './transitions.ts';

export interface SagaDependencies extends QueuedDependencies {
  readonly journal: Journal;
  readonly database: Database;
  readonly jobs: JobQueue;
  readonly dmp: DmpClient;
  readonly retry: () => { readonly initialMs: number; readonly maximumMs: number };
  readonly random: () => number;
}

export function createStep(deps: SagaDependencies): (job: Job, signal: AbortSignal) => Promise<void> {
  return async (job, signal) => {
    const result =
      job.state === 'queued' ? await stepQueued(job, deps, signal) : await stepBuilt(job, deps.dmp, signal);
    next(job.state, result.event); // a result the table does not know is a defect: stop before writing anything
    await apply(job, result, deps);
  };
}

async function apply(job: Job, result: QueuedResult | BuiltResult, deps: SagaDependencies): Promise<void> {
  const at = deps.now().toISOString();
  const { jobs, journal } = deps;
  const subject = { job: String(job.id), study: job.study };
  switch (result.event) {
    case 'built':
      await jobs.build(job, JSON.stringify(result.draft), result.kos, at);
      arrow('draft-committed', job.study);
      journal.record({
        name: 'PublicationDecided',
        ...subject,
        decision: result.draft.kind,
        reason: result.reason,
        notes: result.notes.length,
      });
      return;
    case 'unchanged':
    case 'declined':
      await jobs.end(job, result.event, { detail: `${result.reason}: ${result.detail}`, at });
      journal.record({
        name: 'PublicationDecided',
        ...subject,
        decision: result.event,
        notes: 0,
        reason: `${result.reason}: ${result.detail}`,
      });
      return;
    case 'wait': {
      const delay = backOff(job.attempts, deps.retry(), deps.random());
      const retryAt = new Date(deps.now().getTime() + delay).toISOString();
      await jobs.postpone(job, { code: result.code, detail: result.detail, nextAt: retryAt, at });
      journal.record({ name: 'PublicationWaiting', ...subject, code: result.code, detail: result.detail, retryAt });
      return;
    }
    case 'failed':
      await jobs.end(job, 'failed', { code: result.code, detail: `${result.reason}: ${result.detail}`, at });
      await tellFailure(job, result, deps);
      return;
    case 'published':
      await keepPublished(job, result, deps, at);
      return;
    case 'removed':
      await keepRemoved(job, result, deps, at);
  }
}

async function tellFailure(
  job: Job,
  result: { readonly code: ErrorCode; readonly reason: string; readonly detail: string; readonly dmpCode?: string },
  deps: SagaDependencies,
): Promise<void> {
  const archived: ArchivedReport | undefined = await deps.archive.report(job.documentId);
  deps.journal.record({
    name: 'PublicationFailed',
    job: String(job.id),
    study: job.study,
    structureId: archived?.report.legalAuthenticator.organization.id ?? '',
    code: result.code,
    detail: `${result.reason}: ${result.detail}`,
    ...(result.dmpCode !== undefined && { dmpCode: result.dmpCode }),
    ...(archived && { patient: { matricule: archived.report.patient.matricule, oid: archived.report.patient.oid } }),
  });
}

async function keepPublished(
  job: Job,
  result: Extract<BuiltResult, { readonly event: 'published' }>,
  deps: SagaDependencies,
  at: string,
): Promise<void> {
  const { draft, kos, entryUuid } = result;
  const { submission, replacedKos } = draft;
  await deps.database.transaction(
    publishedStatements({
      job,
      documentId: job.documentId,
      pacs: draft.pacs,
      submission,
      kos,
      entryUuid,
      replacedKos,
      at,
    }),
  );
  arrow('archive-committed', job.study);
  deps.journal.record({
    name: 'KosPublished',
    job: String(job.id),
    study: job.study,
    kos: submission.entry.uniqueId,
    entryUuid,
    pacs: draft.pacs,
    structureId: submission.user.professional.organization.id,
    professionalId: submission.user.professional.id,
    instances: draft.instances,
    replaced: replacedKos !== undefined,
    alreadyRegistered: result.alreadyRegistered,
    patient: { matricule: submission.entry.patient.matricule, oid: submission.entry.patient.oid },
  });
}

async function keepRemoved(
  job: Job,
  result: Extract<BuiltResult, { readonly event: 'removed' }>,
  deps: SagaDependencies,
  at: string,
): Promise<void> {
  const { removal, removedKos } = result.draft;
  await deps.database.transaction(removedStatements({ job, study: job.study, kos: removedKos, at }));
  arrow('archive-committed', job.study);
  deps.journal.record({
    name: 'KosRemoved',
    job: String(job.id),
    study: job.study,
    kos: removedKos,
    entryUuid: result.entryUuid,
    structureId: removal.user.professional.organization.id,
    patient: { matricule: removal.patient.matricule, oid: removal.patient.oid },
  });
}
