/** First step of a job: what should be done for this study, fixed once and for all (identifiers included) before the DMP hears of it. */
import type { PacsConfig, RisConfig } from '../../../common/contract/gateway-config.ts';
import type { Uid } from '../../domain.ts';
import type { Pacs } from '../../dicom/pacs.ts';
import type { DmpUser, Removal } from '../../dmp/submission.ts';
import type { ErrorCode } from '../../journal/error-codes.ts';
import { KosImpossible } from '../../manifest/build.ts';
import { utcTimestamp } from '../../manifest/local-time.ts';
import { contentType } from '../../manifest/xds-entry.ts';
import type { Kos } from '../../manifest/kos.ts';
import type { Archive, ArchivedReport, ArchivedSubmission, PublishedKos } from '../archive/archive.ts';
import type { Job } from '../archive/jobs.ts';
import { arrow } from './arrows.ts';
import { findStudy } from './find-study.ts';
import type { ManifestMaker } from './manifest-maker.ts';
import { objectionToReport, objectionToStudy } from './policies.ts';

/** What a built job sends; JSON in the archive. */
export type Draft =
  | {
      readonly kind: 'publish';
      readonly pacs: string;
      readonly submission: ArchivedSubmission;
      /** KOS this one replaces: TD3.1b is asked for its entryUUID right before sending. */
      readonly replacedKos: Uid | undefined;
      readonly instances: number;
    }
  | { readonly kind: 'remove'; readonly removal: Omit<Removal, 'entryUuid'>; readonly removedKos: Uid };

export type QueuedResult =
  | {
      readonly event: 'built';
      readonly draft: Draft;
      readonly kos: Uint8Array | undefined;
      readonly reason: string;
      readonly notes: readonly string[];
    }
  | { readonly event: 'unchanged' | 'declined'; readonly reason: string; readonly detail: string }
  | { readonly event: 'failed'; readonly code: ErrorCode; readonly reason: string; readonly detail: string }
  | { readonly event: 'wait'; readonly code: ErrorCode; readonly detail: string };

export interface QueuedDependencies {
  readonly archive: Archive;
  readonly manifest: ManifestMaker;
  readonly pacs: (name: string) => { readonly client: Pacs; readonly config: PacsConfig } | undefined;
  readonly ris: (name: string) => RisConfig | undefined;
  readonly sourceId: Uid;
  readonly now: () => Date;
}

export async function stepQueued(job: Job, deps: QueuedDependencies, signal: AbortSignal): Promise<QueuedResult> {
  const archived = await deps.archive.report(job.documentId);
  if (!archived) return failed('E008', 'ReportMissing', `report ${job.documentId} is not in the archive`);
  return job.kind === 'publish'
    ? await preparePublication(job, archived, deps, signal)
    : await prepareRemoval(job, archived, deps, signal);
}

async function preparePublication(
  job: Job,
  archived: ArchivedReport,
  deps: QueuedDependencies,
  signal: AbortSignal,
): Promise<QueuedResult> {
  const { report } = archived;
  const objection = objectionToReport(report);
  if (objection) return toResult(objection);
  const study = report.studies.find(({ studyInstanceUid }) => studyInstanceUid === job.study);
  if (!study)
    return {
      event: 'declined',
      reason: 'StudyDropped',
      detail: 'a newer version of the report no longer names this study',
    };
  const search = await findStudy(candidates(archived, deps), job.study, signal);
  arrow('pacs-answered', job.study);
  if (search.kind === 'silent') return { event: 'wait', code: 'E003', detail: search.detail };
  const published = await publishedNow(job, deps);
  if (search.kind === 'unknown') {
    // an exam that left the PACS takes its KOS with it (DB0 §4.5.8.1), but only when the PACS itself says so
    if (job.cause === 'exam-change' && published) return removal(published, deps, 'ExamDeleted');
    return failed(
      'E004',
      'StudyUnknown',
      'no PACS of this RIS knows the study; check the StudyInstanceUID and the PACS of the RIS, then send again',
    );
  }
  const pacs = deps.pacs(search.pacs);
  if (!pacs)
    return { event: 'wait', code: 'E003', detail: `PACS ${search.pacs} left the configuration while it was asked` };
  const refusal = objectionToStudy(report, search.study, pacs.config);
  if (refusal)
    return refusal.reason === 'NoInstance' && published
      ? removal(published, deps, 'NoInstanceLeft')
      : toResult(refusal);

  const others = (await deps.archive.activeReports(job.study)).filter(
    ({ documentId }) => documentId !== archived.documentId,
  );
  const earlierRequests = others.flatMap((one) => one.report.orders);
  const attempt = makeKos({ report, study, found: search.study, pacs: pacs.config, earlierRequests }, deps.manifest);
  if ('impossible' in attempt) return attempt.impossible;
  const { kos, bytes, notes } = attempt.made;
  const entry = deps.manifest.entry({ report, study, kos });
  arrow('kos-built', job.study);
  const differences = published
    ? [...deps.manifest.differences(published.kos, bytes), ...metadataDifferences(published, entry)]
    : [];
  if (published && differences.length === 0)
    return { event: 'unchanged', reason: 'NothingChanged', detail: 'the KOS and its metadata equal what is published' };

  const user: DmpUser =
    job.cause === 'exam-change' && published
      ? published.submission.user // FAQ 8801: user and structure of the archived submission set
      : {
          professional: report.legalAuthenticator,
          sector: entry.healthcareFacilityType.code,
          secretConnection: report.secretConnection,
          authenticatedAt: archived.receivedAt,
        };
  const submission: ArchivedSubmission = {
    uniqueId: deps.manifest.newUid(),
    signatureId: deps.manifest.newUid(),
    submissionTime: utcTimestamp(deps.now()),
    sourceId: deps.sourceId,
    contentType: contentType(report.patientClass),
    entry,
    user,
  };
  const instances = kos.series.reduce((total, series) => total + series.instances.length, 0);
  return {
    event: 'built',
    draft: { kind: 'publish', pacs: search.pacs, submission, replacedKos: published?.kosSopInstanceUid, instances },
    kos: bytes,
    reason: published ? `replace: ${differences.join(', ')}` : 'create',
    notes,
  };
}

interface MadeKos {
  readonly kos: Kos;
  readonly bytes: Uint8Array;
  readonly notes: readonly string[];
}

function makeKos(
  input: Parameters<ManifestMaker['build']>[0],
  manifest: ManifestMaker,
): { readonly made: MadeKos } | { readonly impossible: QueuedResult } {
  try {
    const kos = manifest.build(input);
    return { made: { kos, ...manifest.encode(kos) } };
  } catch (error) {
    if (!(error instanceof KosImpossible)) throw error;
    return { impossible: failed('E008', 'KosImpossible', error.message) };
  }
}

async function prepareRemoval(
  job: Job,
  archived: ArchivedReport,
  deps: QueuedDependencies,
  signal: AbortSignal,
): Promise<QueuedResult> {
  const published = await publishedNow(job, deps);
  if (!published)
    return { event: 'declined', reason: 'NotPublished', detail: 'no KOS of this study is published by this site' };
  const others = (await deps.archive.activeReports(job.study)).filter(
    ({ documentId }) => documentId !== archived.documentId,
  );
  const last = others.at(-1);
  // a second reading still needs the images: the KOS stays, without the orders of the report that went (ci-sis §16 row 15)
  if (last) return await preparePublication({ ...job, documentId: last.documentId }, last, deps, signal);
  return removal(published, deps, 'LastReportGone');
}

async function publishedNow(job: Job, deps: QueuedDependencies): Promise<PublishedKos | undefined> {
  const published = await deps.archive.published(job.study);
  return published?.status === 'published' ? published : undefined;
}

function removal(published: PublishedKos, deps: QueuedDependencies, reason: string): QueuedResult {
  const { submission } = published;
  const request = {
    uniqueId: deps.manifest.newUid(),
    submissionTime: utcTimestamp(deps.now()),
    sourceId: deps.sourceId,
    contentType: submission.contentType,
    patient: submission.entry.patient,
    user: submission.user,
  };
  return {
    event: 'built',
    draft: { kind: 'remove', removal: request, removedKos: published.kosSopInstanceUid },
    kos: undefined,
    reason,
    notes: [],
  };
}

function candidates(archived: ArchivedReport, deps: QueuedDependencies): readonly Pacs[] {
  return (deps.ris(archived.ris)?.pacs ?? []).flatMap((name) => deps.pacs(name)?.client ?? []);
}

/** Metadata that asks for a replacement although the KOS is the same: visibility, confidentiality (DB0 §4.5.8.2). */
function metadataDifferences(published: PublishedKos, entry: ArchivedSubmission['entry']): readonly string[] {
  const before = published.submission.entry;
  const changed = (['visibility', 'confidentiality', 'localPatientId', 'author', 'legalAuthenticator'] as const).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(entry[key]),
  );
  return changed.map((key) => `metadata ${key}`);
}

function failed(code: ErrorCode, reason: string, detail: string): QueuedResult {
  return { event: 'failed', code, reason, detail };
}

function toResult(objection: {
  readonly outcome: 'declined' | 'failed';
  readonly code?: ErrorCode;
  readonly reason: string;
  readonly detail: string;
}): QueuedResult {
  const { reason, detail } = objection;
  return objection.outcome === 'declined'
    ? { event: 'declined', reason, detail }
    : failed(objection.code ?? 'E008', reason, detail);
}
