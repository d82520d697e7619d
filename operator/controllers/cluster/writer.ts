/**
 * What leaves the operator towards the API server: keys of what is to be written, worked off a few at a time, each retried with its own
 * back-off. Fresh changes go before what is only looked at again.
 */
import type { Log } from '../../../common/observability/log.ts';
import type { ApplyOutcome } from '../../resources/kubernetes/apply.ts';
import { type Priority, type WorkQueueHooks, createWorkQueue } from '../../resources/kubernetes/work-queue.ts';

/** Done, to be looked at again after a while, or not to be mended by trying again. */
export type Written =
  { readonly done: true } | { readonly done: false; readonly message: string; readonly retry: 'soon' | 'when changed' };

export interface Writer {
  add(key: string, priority: Priority): void;
  readonly depth: number;
  readonly oldestWaitMs: number;
  /** No new work; settles when what is under way is over. */
  stop(): Promise<void>;
}

export interface WriterOptions {
  readonly workers: number;
  /** Does what the key says; throws what may pass. */
  readonly write: (key: string) => Promise<Written>;
  readonly log: Log;
  readonly hooks?: WorkQueueHooks;
  readonly onResult?: (key: string, result: 'success' | 'error' | 'requeue', seconds: number) => void;
}

export function startWriter(options: WriterOptions): Writer {
  const queue = createWorkQueue({
    ...(options.hooks !== undefined && { hooks: options.hooks }),
    maxBackoffMs: 300_000,
  });
  const work = async (): Promise<void> => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      const startedAt = performance.now();
      const result = await attempt(key);
      options.onResult?.(key, result, (performance.now() - startedAt) / 1000);
      queue.done(key);
    }
  };
  const attempt = async (key: string): Promise<'success' | 'error' | 'requeue'> => {
    try {
      const written = await options.write(key);
      if (written.done) {
        queue.forget(key);
        return 'success';
      }
      options.log.write('warn', 'not written', { key, reason: written.message, retry: written.retry });
      if (written.retry === 'soon') queue.addRateLimited(key);
      else queue.forget(key);
      return 'requeue';
    } catch (error) {
      // The API server away, overloaded or unwell: it is tried again, later and later.
      const message = error instanceof Error ? error.message : String(error);
      options.log.write('warn', 'writing failed, it is tried again', { key, error: message });
      queue.addRateLimited(key);
      return 'error';
    }
  };
  const workers = Array.from({ length: options.workers }, work);
  return {
    add: (key, priority) => queue.add(key, priority),
    get depth() {
      return queue.depth;
    },
    get oldestWaitMs() {
      return queue.oldestWaitMs;
    },
    async stop() {
      await queue.shutDown();
      await Promise.all(workers);
    },
  };
}

/** The worst of several outcomes, in words; a conflict or a quota may pass, what the schema refuses does not. */
export function summary(outcomes: readonly { readonly what: string; readonly outcome: ApplyOutcome }[]): Written {
  for (const { what, outcome } of outcomes) {
    if (!('message' in outcome)) continue;
    const passing = outcome.outcome === 'conflict' || outcome.outcome === 'forbidden' || outcome.outcome === 'absent';
    return { done: false, message: `${what}: ${outcome.message}`, retry: passing ? 'soon' : 'when changed' };
  }
  return { done: true };
}
