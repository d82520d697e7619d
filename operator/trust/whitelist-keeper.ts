/**
 * Keeps the whitelist of a trust space: a candidate replaces the list in force only when it is verified and not older; the file
 * gateways read is the XML unaltered (DB.CS.148, DB.CS.151).
 */
import type { WhitelistPolicy, WhitelistVerdict } from '../../common/whitelist/whitelist.ts';
import type { WhitelistObservation } from '../plan/observations.ts';
import type { DocumentStore } from './document-store.ts';
import type { Fetched } from './fetch.ts';

const twoDaysMs = 172_800_000;

export type WhitelistVerifier = (xml: Uint8Array, policy: WhitelistPolicy) => Promise<WhitelistVerdict>;

interface Memory {
  readonly generatedAt: string;
  /** When a source last gave a good list, this one or a newer. */
  readonly confirmedAt: string;
  readonly domains: number;
}

export interface KeepInput {
  /** Of the trust space; the list is `whitelist.xml` in it. */
  readonly store: DocumentStore;
  readonly candidate: Fetched;
  readonly policy: WhitelistPolicy;
  readonly maximumAgeMs: number;
  readonly verify: WhitelistVerifier;
}

export async function keepWhitelist(input: KeepInput): Promise<WhitelistObservation> {
  const { store, candidate, policy } = input;
  const kept = store.read('whitelist.json');
  const former = kept === undefined ? undefined : (JSON.parse(kept.toString('utf8')) as Memory);
  const { bytes } = candidate;
  if (bytes === undefined) return inForce(input, former, 'Unreachable', candidate.error ?? 'no list was fetched yet');
  const verdict = await input.verify(bytes, policy);
  if (!verdict.accepted) return inForce(input, former, verdict.reason, verdict.detail);
  const { generatedAt, domains } = verdict.whitelist;
  if (former !== undefined && Date.parse(generatedAt) < Date.parse(former.generatedAt))
    return inForce(
      input,
      former,
      'Older',
      `the list of ${generatedAt} is older than the one in force, ${former.generatedAt}`,
    );
  const memory: Memory = {
    generatedAt,
    confirmedAt: candidate.fetchedAt ?? policy.at.toISOString(),
    domains: domains.length,
  };
  store.write('whitelist.xml', bytes);
  store.write('whitelist.json', JSON.stringify(memory));
  return inForce(input, memory, candidate.error === undefined ? undefined : 'Unreachable', candidate.error ?? '');
}

/** @param reason why the newest candidate is not good; undefined when it is */
function inForce(
  { store, policy, maximumAgeMs }: KeepInput,
  memory: Memory | undefined,
  reason: string | undefined,
  message: string,
): WhitelistObservation {
  if (memory === undefined) return { status: 'False', reason: reason ?? 'Absent', message };
  const age = policy.at.getTime() - Date.parse(memory.confirmedAt);
  const fields = { generatedAt: memory.generatedAt, fetchedAt: memory.confirmedAt, domains: memory.domains };
  if (age > maximumAgeMs) {
    // A partner may have been removed meanwhile: without a list gateways stop serving images.
    store.remove('whitelist.xml');
    return {
      ...fields,
      status: 'False',
      reason: 'Stale',
      message: `no good list since ${memory.confirmedAt}, too long: withdrawn. ${message}`,
    };
  }
  if (reason === undefined)
    return { ...fields, status: 'True', reason: 'Verified', message: `${memory.domains} DRIMboxes` };
  const stays = `the list of ${memory.generatedAt} stays in force: ${message}`;
  if (reason !== 'Unreachable') return { ...fields, status: 'False', reason, message: stays };
  // Two days without the publisher must be told, even where the list may stay longer (DB.CS.186).
  if (age >= twoDaysMs)
    return {
      ...fields,
      status: 'False',
      reason: 'UnreachableTwoDays',
      message: `not had since ${memory.confirmedAt}; ${stays}`,
    };
  return { ...fields, status: 'True', reason, message: stays };
}
