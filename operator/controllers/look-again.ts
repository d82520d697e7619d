/** Statuses that wait for proxies (plan/patience.ts) are looked at again, whatever else asks for a round or does not. */

/** Longest wait until they are. */
const longestMs = 500;

export interface LookAgain {
  /** @param leftMs until the first has waited long enough */
  within(leftMs: number): void;
  stop(): void;
}

/** @param trigger asks for a round */
export function lookAgain(trigger: () => void): LookAgain {
  let timer: NodeJS.Timeout | undefined;
  return {
    within(leftMs) {
      timer ??= setTimeout(
        () => {
          timer = undefined;
          trigger();
        },
        Math.min(longestMs, leftMs),
      );
    },
    stop: () => clearTimeout(timer),
  };
}
