/** A queue of keys to work on, with the semantics of client-go's workqueue. */

export type Priority = 'fresh' | 'resync';

export interface WorkQueueHooks {
  added?(): void;
  retried?(): void;
  /** Seconds an item waited until it was taken. */
  waited?(seconds: number): void;
  /** Seconds between taken and done. */
  worked?(seconds: number): void;
}

export interface WorkQueueOptions {
  /** Milliseconds that never go back. */
  readonly nowMs?: () => number;
  /** Calls back after so many ms; the returned function cancels it. */
  readonly schedule?: (delayMs: number, callback: () => void) => () => void;
  readonly random?: () => number;
  readonly hooks?: WorkQueueHooks;
  /** Back-off of an item that failed: 5 ms doubling to 1000 s unless told. */
  readonly backoffMs?: number;
  readonly maxBackoffMs?: number;
}

export interface WorkQueue<K extends string = string> {
  /** Added while waiting: once (a fresh add lifts a waiting resync). Added while worked on: again afterwards, never twice at once. */
  add(key: K, priority?: Priority): void;
  /** Of several delayed adds of one key the earliest counts. */
  addAfter(key: K, delayMs: number, priority?: Priority): void;
  /** After its back-off, which doubles at each call until forget(). */
  addRateLimited(key: K, priority?: Priority): void;
  /** The key succeeded: its back-off begins anew. */
  forget(key: K): void;
  /** Failures since the last forget(). */
  failures(key: K): number;
  /** The next key, waiting for one; undefined once shut down and empty. done() must be called for each. */
  take(): Promise<K | undefined>;
  done(key: K): void;
  /** No new keys; settles when all that waits and all that is worked on is done. Delayed ones are dropped. */
  shutDown(): Promise<void>;
  readonly depth: number;
  /** Age of the oldest waiting key in ms, 0 when none waits. */
  readonly oldestWaitMs: number;
}

export declare function createWorkQueue<K extends string = string>(options?: WorkQueueOptions): WorkQueue<K>;
