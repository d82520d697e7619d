/** The DMP as the source uses it: publish, replace, find, remove (ci-sis §6), with the certificates of the right structure. */
import { randomUUID } from 'node:crypto';
import type { DmpConfig } from '../../common/contract/gateway-config.ts';
import { UnwritableText } from '../../common/signature/xml-writer.ts';
import { entryUuidOf } from './entry-uuid.ts';
import { exchange } from './exchange.ts';
import type { Judgement } from './judgement.ts';
import {
  type PreparedRequest,
  type PrepareDependencies,
  prepareRemoval,
  prepareSearch,
  prepareSubmission,
} from './prepare.ts';
import { openStructures } from './structures.ts';
import type { DmpClient, DmpOutcome, DmpUser, EntrySearch, RemovalOutcome, Submission } from './submission.ts';
import { VihfImpossible } from './vihf.ts';

export interface DmpClientDependencies {
  readonly now: () => Date;
  /** Message, assertion and boundary ids; random unless a test says otherwise. */
  readonly newUuid?: () => string;
}

/** @throws Error naming the structure when a certificate or key of the configuration can't be used. */
export function createDmpClient(config: DmpConfig, deps: DmpClientDependencies): DmpClient {
  const structures = openStructures(config);
  const newUuid = deps.newUuid ?? randomUUID;

  async function call(
    user: DmpUser,
    prepare: (dependencies: PrepareDependencies) => PreparedRequest,
    signal: AbortSignal | undefined,
  ): Promise<Judgement> {
    const { id } = user.professional.organization;
    const structure = structures.of(id);
    if (structure === undefined)
      return refused('UnknownStructure', `no certificate of structure ${id} is configured: add it to dmp.structures`);
    try {
      const { software, url } = config;
      const prepared = prepare({ key: structure.signing, software, url, now: deps.now, newUuid });
      return await exchange(prepared, { dispatcher: structure.agent, timeoutMs: config.timeoutMs, signal });
    } catch (error) {
      // what was reported can't be said to the DMP: no retry will change it
      if (error instanceof VihfImpossible || error instanceof UnwritableText) return refused(error.name, error.message);
      throw error;
    }
  }

  const findEntryUuid: DmpClient['findEntryUuid'] = async (uniqueId, user, patient, signal) => {
    const judgement = await call(user, (dependencies) => prepareSearch(uniqueId, user, patient, dependencies), signal);
    return searched(judgement);
  };

  async function registered(submission: Submission, signal: AbortSignal | undefined): Promise<EntrySearch> {
    return await findEntryUuid(submission.entry.uniqueId, submission.user, submission.entry.patient, signal);
  }

  return {
    findEntryUuid,
    async publish(submission, signal): Promise<DmpOutcome> {
      const judgement = await call(
        submission.user,
        (dependencies) => prepareSubmission(submission, dependencies),
        signal,
      );
      if (judgement.kind === 'done') return published(submission, await registered(submission, signal));
      if (judgement.kind !== 'duplicate') return judgement;
      const found = await registered(submission, signal);
      if (found.kind === 'found') return { kind: 'published', entryUuid: found.entryUuid, alreadyRegistered: true };
      return found.kind === 'absent' ? refused(judgement.dmpCode, judgement.detail) : found;
    },
    async remove(removal, signal): Promise<RemovalOutcome> {
      const judgement = await call(removal.user, (dependencies) => prepareRemoval(removal, dependencies), signal);
      if (judgement.kind === 'done') return { kind: 'removed' };
      return judgement.kind === 'duplicate' ? refused(judgement.dmpCode, judgement.detail) : judgement;
    },
    close: () => structures.close(),
  };
}

/**
 * It is registered, whatever the search says. A registry keeps the UUID given (ITI TF-3 §4.1.12.3); one that gave another
 * says so now; one that hides the entry or fails just then leaves us the one we gave, looked up again before it is used.
 */
function published({ entry }: Submission, found: EntrySearch): DmpOutcome {
  const entryUuid = found.kind === 'found' ? found.entryUuid : entryUuidOf(entry.uniqueId);
  return { kind: 'published', entryUuid, alreadyRegistered: false };
}

function searched(judgement: Judgement): EntrySearch {
  if (judgement.kind === 'duplicate') return refused(judgement.dmpCode, judgement.detail);
  if (judgement.kind !== 'done') return judgement;
  const [entryUuid, ...others] = judgement.objects;
  if (entryUuid === undefined) return { kind: 'absent' };
  return others.length === 0
    ? { kind: 'found', entryUuid }
    : refused('SeveralEntries', `the DMP gave ${others.length + 1} entries for one uniqueId`);
}

function refused(dmpCode: string, detail: string): Extract<DmpOutcome, { readonly kind: 'refused' }> {
  return { kind: 'refused', code: 'E007', dmpCode, detail };
}
