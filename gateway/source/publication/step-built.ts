/** Second step: send what was built. May run again after a crash: the DMP knows the identifiers, and so do we. */
import type { DmpClient, DmpOutcome } from '../../dmp/submission.ts';
import type { ErrorCode } from '../../journal/error-codes.ts';
import type { Job } from '../archive/jobs.ts';
import { arrow } from './arrows.ts';
import type { Draft } from './step-queued.ts';

export type BuiltResult =
  | {
      readonly event: 'published';
      readonly draft: Extract<Draft, { readonly kind: 'publish' }>;
      readonly kos: Uint8Array;
      readonly entryUuid: string;
      readonly alreadyRegistered: boolean;
    }
  | {
      readonly event: 'removed';
      readonly draft: Extract<Draft, { readonly kind: 'remove' }>;
      readonly entryUuid: string;
    }
  | {
      readonly event: 'failed';
      readonly code: ErrorCode;
      readonly reason: string;
      readonly detail: string;
      readonly dmpCode?: string;
    }
  | { readonly event: 'wait'; readonly code: ErrorCode; readonly detail: string };

/** @throws Error when the row is not what `build` wrote: a defect, the job stays open and is journalled. */
export async function stepBuilt(job: Job, dmp: DmpClient, signal: AbortSignal): Promise<BuiltResult> {
  if (job.draft === undefined) throw new Error(`job ${job.id} is built but has no draft`);
  const draft = JSON.parse(job.draft) as Draft;
  if (draft.kind === 'remove') return await remove(job, draft, dmp, signal);
  if (job.kos === undefined) throw new Error(`job ${job.id} is built but has no KOS`);
  return await publish(job, draft, job.kos, dmp, signal);
}

async function publish(
  job: Job,
  draft: Extract<Draft, { readonly kind: 'publish' }>,
  kos: Uint8Array,
  dmp: DmpClient,
  signal: AbortSignal,
): Promise<BuiltResult> {
  const { submission, replacedKos } = draft;
  const { user, entry } = submission;
  const done = (entryUuid: string, alreadyRegistered: boolean): BuiltResult => ({
    event: 'published',
    draft,
    kos,
    entryUuid,
    alreadyRegistered,
  });
  let replaces: string | undefined;
  if (replacedKos !== undefined) {
    const old = await dmp.findEntryUuid(replacedKos, user, entry.patient, signal);
    if (old.kind === 'absent') {
      // an earlier try of ours may have gone through and taken the old entry's place
      const own = await dmp.findEntryUuid(entry.uniqueId, user, entry.patient, signal);
      if (own.kind === 'found') return done(own.entryUuid, true);
      return own.kind === 'absent' ? hidden(replacedKos) : notDone(own);
    }
    if (old.kind !== 'found') return notDone(old);
    replaces = old.entryUuid;
  }
  arrow('dmp-called', job.study);
  const outcome = await dmp.publish({ ...submission, kos, ...(replaces !== undefined && { replaces }) }, signal);
  arrow('dmp-answered', job.study);
  return outcome.kind === 'published' ? done(outcome.entryUuid, outcome.alreadyRegistered) : notDone(outcome);
}

async function remove(
  job: Job,
  draft: Extract<Draft, { readonly kind: 'remove' }>,
  dmp: DmpClient,
  signal: AbortSignal,
): Promise<BuiltResult> {
  const { removal, removedKos } = draft;
  const found = await dmp.findEntryUuid(removedKos, removal.user, removal.patient, signal);
  // gone already: by an earlier try of ours, or by the patient; either way the KOS is no longer in the DMP
  if (found.kind === 'absent') return { event: 'removed', draft, entryUuid: '' };
  if (found.kind !== 'found') return notDone(found);
  arrow('dmp-called', job.study);
  const outcome = await dmp.remove({ ...removal, entryUuid: found.entryUuid }, signal);
  arrow('dmp-answered', job.study);
  return outcome.kind === 'removed' ? { event: 'removed', draft, entryUuid: found.entryUuid } : notDone(outcome);
}

function notDone(outcome: Exclude<DmpOutcome, { readonly kind: 'published' }>): BuiltResult {
  if (outcome.kind === 'unavailable') return { event: 'wait', code: 'E007', detail: outcome.detail };
  return {
    event: 'failed',
    code: outcome.code,
    reason: 'RefusedByDmp',
    detail: outcome.detail,
    dmpCode: outcome.dmpCode,
  };
}

/** Never published again by ourselves: the patient may have removed or masked it (ci-sis §16 row 57). */
function hidden(kos: string): BuiltResult {
  return {
    event: 'failed',
    code: 'E007',
    reason: 'ReplacedKosHidden',
    detail: `the DMP no longer shows KOS ${kos}: it was deleted or masked there; nothing is published in its place`,
  };
}
