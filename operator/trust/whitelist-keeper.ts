/**
 * Keeps the whitelist of a trust space: a candidate replaces the list in force only when it is verified and not older; the file
 * gateways read is the XML unaltered (DB.CS.148, DB.CS.151).
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { WhitelistPolicy, WhitelistVerdict } from '../../common/whitelist/whitelist.ts';
import { writeWhenDifferent } from '../infrastructure/host/files.ts';
import type { WhitelistObservation } from '../plan/observations.ts';
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
  /** Folder of the trust space; the list is `whitelist.xml` in it. */
  readonly folder: string;
  readonly candidate: Fetched;
  readonly policy: WhitelistPolicy;
  readonly maximumAgeMs: number;
  readonly verify: WhitelistVerifier;
}

export async function keepWhitelist(input: KeepInput): Promise<WhitelistObservation> {
  const { folder, candidate, policy } = input;
  const memoryFile = join(folder, 'whitelist.json');
  const former = existsSync(memoryFile) ? (JSON.parse(readFileSync(memoryFile, 'utf8')) as Memory) : undefined;
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
  writeWhenDifferent(join(folder, 'whitelist.xml'), bytes);
  writeWhenDifferent(memoryFile, JSON.stringify(memory));
  return inForce(input, memory, candidate.error === undefined ? undefined : 'Unreachable', candidate.error ?? '');
}

/** @param reason why the newest candidate is not good; undefined when it is */
function inForce(
  { folder, policy, maximumAgeMs }: KeepInput,
  memory: Memory | undefined,
  reason: string | undefined,
  message: string,
): WhitelistObservation {
  if (memory === undefined) return { status: 'False', reason: reason ?? 'Absent', message };
  const age = policy.at.getTime() - Date.parse(memory.confirmedAt);
  const fields = { generatedAt: memory.generatedAt, fetchedAt: memory.confirmedAt, domains: memory.domains };
  if (age > maximumAgeMs) {
    // A partner may have been removed meanwhile: without a list gateways stop serving images.
    rmSync(join(folder, 'whitelist.xml'), { force: true });
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
