/** The latest events, for `drimbox status --events`: what happens again counts up instead of pushing others out. Pure. */
import type { LogLevel } from '../../common/observability/log.ts';

/** What is written of an event: three of its words tell whether it is the same again. */
export interface Telling {
  /** What it is about: a resource, a process, a file. */
  readonly subject: string;
  /** CamelCase word; '' when there is only one. */
  readonly reason: string;
  readonly message: string;
}

export interface KeptEvent extends Telling {
  readonly event: string;
  readonly level: LogLevel;
  readonly count: number;
  /** RFC 3339. */
  readonly firstTime: string;
  readonly lastTime: string;
}

/** Enough for a bad night; status.json stays small. */
export const maxKept = 200;

/**
 * The same event, subject and reason: counted, with the latest message, and moved to the end; the one that did not happen for
 * the longest time is dropped.
 */
export function keep(
  kept: readonly KeptEvent[],
  happened: Pick<KeptEvent, 'event' | 'level'> & Telling,
  at: string,
): readonly KeptEvent[] {
  const isSame = (other: KeptEvent): boolean =>
    other.event === happened.event && other.subject === happened.subject && other.reason === happened.reason;
  const former = kept.find(isSame);
  const next = { ...happened, count: (former?.count ?? 0) + 1, firstTime: former?.firstTime ?? at, lastTime: at };
  return [...kept.filter((other) => !isSame(other)), next].slice(-maxKept);
}
