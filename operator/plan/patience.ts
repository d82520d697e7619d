/**
 * Patience with proxies: a link that is served and changes is said to be so again when they have the change, and until then what was
 * said of its former generation stands. Most take a change within a tenth of a second, and each status would be written twice; a CRL
 * is a change to every link of its TrustSpace. So is one that connects again: it serves what it has meanwhile. Who is slow is said to be
 * after a while.
 */
import type { Condition } from './condition.ts';

const programmed = 'IngressProgrammed';

/**
 * Ms, by what is missing. A person who asked for a change waits for its status: a proxy that is there is given a moment, and one that is
 * not is said not to be. What nobody asked for (a CRL, a certificate, a proxy that connects again) has time: a region's proxies read a
 * listener of two thousand chains in two seconds, and another replica tells of its own a second later.
 */
export const patienceMs: Readonly<Record<'asked' | 'unasked', Readonly<Record<string, number>>>> = {
  asked: { NotAcknowledged: 1_000 },
  unasked: { NotAcknowledged: 5_000, NoProxyConnected: 5_000 },
};

export type Told = { readonly conditions: readonly Condition[] } | undefined;

export interface Patience {
  /**
   * Whether to leave standing what was said before. To be asked in each round, of each resource once.
   * @param said what stands there
   * @param wanted what would be said now
   */
  waits(key: string, said: Told, wanted: Told): boolean;
  /** @returns ms until the first that waits in this round has waited long enough; undefined when none does */
  endRound(): number | undefined;
}

/** @param now ms, of a clock that only goes on */
export function createPatience(now: () => number): Patience {
  let since = new Map<string, number>();
  let current = new Map<string, number>();
  let soonest: number | undefined;
  return {
    waits(key, said, wanted) {
      const patience = patienceWith(said, wanted);
      if (patience === 0) return false;
      const began = since.get(key) ?? now();
      current.set(key, began);
      const left = began + patience - now();
      if (left <= 0) return false;
      soonest = Math.min(soonest ?? left, left);
      return true;
    },
    endRound() {
      const left = soonest;
      [since, current, soonest] = [current, new Map(), undefined];
      return left;
    },
  };
}

/** Ms to wait where all that would turn is that proxies have not said yet that they have what they served until now, else 0. Pure. */
export function patienceWith(said: Told, wanted: Told): number {
  const before = new Map(said?.conditions.map((one) => [one.type, one]));
  const [former, open] = [before.get(programmed), wanted?.conditions.find(({ type }) => type === programmed)];
  if (open === undefined || former?.status !== 'True') return 0;
  const others = wanted?.conditions.filter(({ type }) => type !== programmed && type !== 'Ready') ?? [];
  if (!others.every(({ type, status }) => before.get(type)?.status === status)) return 0;
  const kind = former.observedGeneration === open.observedGeneration ? 'unasked' : 'asked';
  return open.status === 'True' ? 0 : (patienceMs[kind][open.reason] ?? 0);
}
