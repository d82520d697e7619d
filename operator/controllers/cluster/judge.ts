/** Statuses as they are to be. Those that differ from what stands in the cluster are to be written; what moved not is not looked at again. */
import type { Planning } from '../../plan/plan.ts';
import type { Observations } from '../../plan/observations.ts';
import type { Patience } from '../../plan/patience.ts';
import { createMemory } from '../../plan/remembered.ts';
import { type ResourceStatus, eachStatus, statusKey } from '../../plan/status.ts';
import { oneText } from '../../resources/sharing.ts';
import { breathe } from '../../turns.ts';
import { type Standing, says, standing } from './standing.ts';
import type { Watches } from './watches.ts';

export interface JudgeOptions {
  readonly watches: Watches;
  /** By {@link statusKey}; kept up to date. */
  readonly statuses: Map<string, ResourceStatus>;
  /** That status is not what stands there: fresh where it answers a change of the spec, news where only the state turned. */
  readonly onDiffering: (key: string, priority: 'fresh' | 'news') => void;
  /** With changes that proxies are taking. */
  readonly patience: Patience;
  /** Some wait for them, the first for so many ms more. */
  readonly onWaiting: (ms: number) => void;
  /** This process has just begun: what it has not heard yet is no news. */
  readonly isFresh: () => boolean;
}

/** @returns every status; the very same object as long as nothing of it changed */
export type Judge = (seen: Observations, planning: Planning) => Promise<readonly ResourceStatus[]>;

export function createJudge(options: JudgeOptions): Judge {
  const { watches, statuses, onDiffering, isFresh, patience } = options;
  const memory = createMemory();
  return async (seen, planning) => {
    const there = standing(watches);
    const found: ResourceStatus[] = [];
    const known = new Set<string>();
    const formers = { get: (key: string) => latest(there(key), statuses.get(key)) };
    for (const status of eachStatus(seen, planning, formers, memory)) {
      await breathe();
      const key = oneText(statusKey(status.kind, status.key));
      known.add(key);
      const stands = there(key);
      if (patience.waits(key, stands, status)) {
        // What was said of the change before stays said.
        found.push({ ...(statuses.get(key) ?? status), generation: status.generation });
        continue;
      }
      found.push(status);
      const differs = !memory.of(`says ${key}`, [stands, status], () => says(stands, status));
      if (differs && !(isFresh() && isUnheard(stands, status)))
        onDiffering(key, stands?.observedGeneration === status.observedGeneration ? 'news' : 'fresh');
      statuses.set(key, status);
    }
    for (const key of statuses.keys()) if (!known.has(key)) statuses.delete(key);
    memory.sweep();
    const left = patience.endRound();
    if (left !== undefined) options.onWaiting(left);
    return found;
  };
}

/** What Ready says while gateways were not asked yet, and proxies have not found their way here yet. */
const unheard = new Set(['Starting', 'NotAnswering', 'NotReported', 'NoProxyConnected', 'NotAcknowledged']);

/**
 * Whether nothing but not having heard speaks against what stands there: after a restart of a lone operator every site would be
 * written twice, and alarms would ring. Pure.
 */
export function isUnheard(there: Standing | undefined, wanted: Pick<ResourceStatus, 'conditions'>): boolean {
  const readyOf = (status: Pick<ResourceStatus, 'conditions'> | undefined) =>
    status?.conditions.find(({ type }) => type === 'Ready');
  const now = readyOf(wanted);
  return readyOf(there)?.status === 'True' && now !== undefined && now.status !== 'True' && unheard.has(now.reason);
}

/**
 * A condition turned when it was first said so: by whoever wrote what stands there, or by us a moment ago, when the watch does not
 * show it yet. Without the second each round in between would write another time.
 */
export function latest(
  there: Standing | undefined,
  said: ResourceStatus | undefined,
): Pick<ResourceStatus, 'conditions'> | undefined {
  if (said === undefined) return there;
  const written = new Map(there?.conditions.map((one) => [one.type, one]));
  const caughtUp = said.conditions.every(({ type, status }) => written.get(type)?.status === status);
  if (caughtUp) return there;
  const merged = said.conditions.map((one) => {
    const before = written.get(one.type);
    return before?.status === one.status ? before : one;
  });
  return { conditions: merged };
}
