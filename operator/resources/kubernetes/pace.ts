/** A token bucket, as client-go paces its requests (flowcontrol.NewTokenBucketRateLimiter). */

export interface Pacer {
  /** Settles when a request may go, in the order of asking; rejects with the signal's reason when it gives up. */
  take(signal?: AbortSignal): Promise<void>;
  readonly waiting: number;
}

interface Waiter {
  readonly go: () => void;
}

/**
 * @param qps tokens per second
 * @param burst tokens after a silence
 * @param nowMs steady ms
 */
export function createPacer(qps: number, burst: number, nowMs: () => number): Pacer {
  if (!(qps > 0) || !(burst >= 1))
    throw new Error(`qps ${qps}, burst ${burst}: qps must be above 0 and burst 1 or more`);
  const waiters: Waiter[] = [];
  let tokens = burst;
  let filledAt = nowMs();
  let timer: NodeJS.Timeout | undefined;
  const fill = (): void => {
    const now = nowMs();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * qps);
    filledAt = now;
  };
  const serve = (): void => {
    timer = undefined;
    fill();
    while (waiters.length > 0 && tokens >= 1) {
      tokens -= 1;
      waiters.shift()?.go();
    }
    if (waiters.length > 0) timer = setTimeout(serve, Math.max(1, ((1 - tokens) / qps) * 1000));
  };
  return {
    get waiting() {
      return waiters.length;
    },
    async take(signal) {
      signal?.throwIfAborted();
      fill();
      if (waiters.length === 0 && tokens >= 1) {
        tokens -= 1;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const giveUp = (): void => {
          waiters.splice(waiters.indexOf(waiter), 1);
          if (waiters.length === 0) clearTimeout(timer);
          if (waiters.length === 0) timer = undefined;
          reject(signal?.reason as Error);
        };
        const waiter: Waiter = {
          go() {
            signal?.removeEventListener('abort', giveUp);
            resolve();
          },
        };
        signal?.addEventListener('abort', giveUp, { once: true });
        waiters.push(waiter);
        timer ??= setTimeout(serve, Math.max(1, ((1 - tokens) / qps) * 1000));
      });
    },
  };
}
