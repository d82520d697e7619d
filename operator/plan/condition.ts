/** metav1.Condition: made without time or generation, which are added when they are compared with the former ones. */

export interface Verdict {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export interface Condition extends Verdict {
  readonly observedGeneration: number;
  /** RFC 3339; moves only when status does. */
  readonly lastTransitionTime: string;
}

export function good(type: string, reason: string, message = ''): Verdict {
  return { type, status: 'True', reason, message };
}

export function bad(type: string, reason: string, message: string): Verdict {
  return { type, status: 'False', reason, message };
}

export function unknown(type: string, reason: string, message: string): Verdict {
  return { type, status: 'Unknown', reason, message };
}

/**
 * The summary: True when all are, else the first that is not decides, False before Unknown. Polarity is positive: give only
 * conditions whose True is good.
 */
export function ready(verdicts: readonly Verdict[]): Verdict {
  const decisive =
    verdicts.find(({ status }) => status === 'False') ?? verdicts.find(({ status }) => status === 'Unknown');
  if (decisive === undefined) return good('Ready', 'Ready');
  return { ...decisive, type: 'Ready', message: `${decisive.type}: ${decisive.message}` };
}

/** What says just what it said is the very condition of before: a region has twenty thousand. */
export function withTimes(
  verdicts: readonly Verdict[],
  former: readonly Condition[],
  generation: number,
  now: Date,
): Condition[] {
  return verdicts.map((verdict) => {
    const before = former.find(({ type }) => type === verdict.type);
    const same = before?.status === verdict.status;
    const { reason, message } = verdict;
    if (same && before.reason === reason && before.message === message && before.observedGeneration === generation)
      return before;
    return {
      ...verdict,
      observedGeneration: generation,
      lastTransitionTime: same ? before.lastTransitionTime : now.toISOString(),
    };
  });
}
