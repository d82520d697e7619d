/**
 * Patience with proxies: a link that is served and changes is said to be so again when they have the change, and until then what was
 * said of its former generation stands. Most take a change within a tenth of a second, and each status would be written twice; a CRL
 * is a change to every link of its TrustSpace. So is one that connects again: it serves what it has meanwhile. Who is slow is said to be
 * after a while.
 */
import type { Condition } from './condition.ts';

const programmed = 'IngressProgrammed';

/** Ms with what a person asked for and waits for. */
export const askedPatienceMs = 1_000;

/**
 * Ms with what nobody asked for: a CRL, a certificate, a proxy that connects again. A region's proxies read a listener of two thousand
 * chains in two seconds, and another replica tells of its own a second later.
 */
export const patienceMs = 5_000;

export type Told = { readonly conditions: readonly Condition[] } | undefined;

export interface Patience {
  /**
   * Whether to leave standing what was said before. To be asked in each round, of each resource once.
   * @param said what stands there
   * @param wanted what would be said now
   */
  waits(key: string, said: Told, wanted: Told): boolean;
  /** @returns whether any of this round waits, and is to be looked at again soon */
  endRound(): boolean;
}

/** @param now ms, of a clock that only goes on */
export function createPatience(now: () => number): Patience {
  let since = new Map<string, number>();
  let current = new Map<string, number>();
  let waiting = false;
  return {
    waits(key, said, wanted) {
      if (!awaitsProxies(said, wanted)) return false;
      const began = since.get(key) ?? now();
      current.set(key, began);
      const waits = now() - began < (generationOf(said) === generationOf(wanted) ? patienceMs : askedPatienceMs);
      waiting ||= waits;
      return waits;
    },
    endRound() {
      const any = waiting;
      [since, current, waiting] = [current, new Map(), false];
      return any;
    },
  };
}

function generationOf(told: Told): number | undefined {
  return told?.conditions.find(({ type }) => type === programmed)?.observedGeneration;
}

/** They may speak any moment. */
const silent = new Set(['NotAcknowledged', 'NoProxyConnected']);

/** Whether all that would turn is that proxies have not said yet that they have what they served until now. Pure. */
export function awaitsProxies(said: Told, wanted: Told): boolean {
  const before = new Map(said?.conditions.map((one) => [one.type, one]));
  const open = wanted?.conditions.find(({ type }) => type === programmed);
  if (open === undefined || !silent.has(open.reason) || before.get(programmed)?.status !== 'True') return false;
  const others = wanted?.conditions.filter(({ type }) => type !== programmed && type !== 'Ready') ?? [];
  return others.every(({ type, status }) => before.get(type)?.status === status);
}
