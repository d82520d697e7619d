/** Waits before a program that died is started again. Pure. */

const firstMs = 500;
const longestMs = 60_000;
/** A program that lived this long was well: counting starts again. */
export const stableMs = 60_000;
/** The gateway's way of saying: start me again, I need it (gateway/main.ts, EX_TEMPFAIL). */
export const restartWanted = '75';

/**
 * Milliseconds, doubling, with jitter so that all sites of a host don't come back at the same instant.
 * @param failures deaths in a row before this one, from 0
 * @param random in [0, 1)
 */
export function restartDelayMs(failures: number, end: string, random: number): number {
  if (end === restartWanted) return 0;
  const delay = Math.min(firstMs * 2 ** failures, longestMs);
  return Math.round(delay * (0.5 + random / 2));
}
