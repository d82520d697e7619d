/** A queue of keys to work on, with the semantics of client-go's workqueue. */
import { scheduleAfter } from './timer.ts';

/** What somebody asked for and waits for; what turned by itself, of which there may be thousands at once; what is only looked at again. */
export type Priority = 'fresh' | 'news' | 'resync';

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
  readonly hooks?: WorkQueueHooks;
  /** Back-off of an item that failed: 5 ms doubling to 1000 s unless told. */
  readonly backoffMs?: number;
  readonly maxBackoffMs?: number;
}

export interface WorkQueue<K extends string = string> {
  /** Added while waiting: once (a higher priority lifts one that waits). Added while worked on: again afterwards, never twice at once. */
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

/** Each priority is a lane, taken in this order; a Map keeps its keys in the order of adding. */
const lanes: readonly Priority[] = ['fresh', 'news', 'resync'];

const higher = (a: Priority, b: Priority | undefined): Priority =>
  b === undefined || lanes.indexOf(a) < lanes.indexOf(b) ? a : b;

type Lanes<K> = Readonly<Record<Priority, Set<K>>>;

function lift<K>(waiting: Lanes<K>, key: K, priority: Priority): void {
  const lane = lanes.find((one) => waiting[one].has(key));
  if (lane === undefined || lane === higher(lane, priority)) return;
  waiting[lane].delete(key);
  waiting[priority].add(key);
}

export function createWorkQueue<K extends string = string>(options: WorkQueueOptions = {}): WorkQueue<K> {
  const { schedule = scheduleAfter, hooks = {}, backoffMs = 5, maxBackoffMs = 1_000_000 } = options;
  const nowMs = options.nowMs ?? (() => performance.now());
  /** Keys that wait, by lane. */
  const waiting: Lanes<K> = { fresh: new Set(), news: new Set(), resync: new Set() };
  /** Since when each waits, oldest first. */
  const since = new Map<K, number>();
  /** Keys worked on, since when. */
  const processing = new Map<K, number>();
  /** Keys added while worked on. */
  const again = new Map<K, Priority>();
  const delayed = new Map<K, { readonly dueMs: number; readonly priority: Priority; readonly cancel: () => void }>();
  const failed = new Map<K, number>();
  const takers: ((key: K | undefined) => void)[] = [];
  let drained: { readonly promise: Promise<void>; readonly settle: () => void } | undefined;

  const start = (key: K, sinceMs: number): K => {
    processing.set(key, nowMs());
    hooks.waited?.((nowMs() - sinceMs) / 1000);
    return key;
  };
  const enqueue = (key: K, priority: Priority): void => {
    const taker = takers.shift();
    if (taker !== undefined) {
      taker(start(key, nowMs()));
      return;
    }
    waiting[priority].add(key);
    since.set(key, nowMs());
  };
  const next = (): K | undefined => {
    for (const lane of lanes) {
      for (const key of waiting[lane]) {
        waiting[lane].delete(key);
        const sinceMs = since.get(key) ?? nowMs();
        since.delete(key);
        return start(key, sinceMs);
      }
    }
    return undefined;
  };
  const add = (key: K, priority: Priority = 'fresh'): void => {
    if (drained !== undefined) return;
    if (processing.has(key)) {
      if (!again.has(key)) hooks.added?.();
      again.set(key, higher(priority, again.get(key)));
      return;
    }
    if (!since.has(key)) {
      hooks.added?.();
      enqueue(key, priority);
      return;
    }
    lift(waiting, key, priority);
  };
  const addAfter = (key: K, delayMs: number, priority: Priority = 'fresh'): void => {
    if (drained !== undefined) return;
    if (delayMs <= 0) {
      add(key, priority);
      return;
    }
    const former = delayed.get(key);
    const dueMs = Math.min(nowMs() + delayMs, former?.dueMs ?? Infinity);
    const least = higher(priority, former?.priority);
    former?.cancel();
    const cancel = schedule(dueMs - nowMs(), () => {
      delayed.delete(key);
      add(key, least);
    });
    delayed.set(key, { dueMs, priority: least, cancel });
  };
  const settleWhenDrained = (): void => {
    if (drained === undefined || since.size > 0) return;
    for (const taker of takers.splice(0)) taker(undefined);
    if (processing.size === 0) drained.settle();
  };
  return {
    add,
    addAfter,
    addRateLimited(key, priority = 'fresh') {
      const count = failed.get(key) ?? 0;
      failed.set(key, count + 1);
      hooks.retried?.();
      addAfter(key, Math.min(maxBackoffMs, backoffMs * 2 ** count), priority);
    },
    forget: (key) => void failed.delete(key),
    failures: (key) => failed.get(key) ?? 0,
    async take() {
      const key = next();
      if (key !== undefined || drained !== undefined) return key;
      return await new Promise((resolve) => {
        takers.push(resolve);
      });
    },
    done(key) {
      const startedMs = processing.get(key);
      if (startedMs === undefined) throw new Error(`done('${key}'): it was not taken`);
      processing.delete(key);
      hooks.worked?.((nowMs() - startedMs) / 1000);
      const priority = again.get(key);
      again.delete(key);
      if (priority !== undefined) enqueue(key, priority);
      settleWhenDrained();
    },
    async shutDown() {
      if (drained === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        drained = { promise, settle: resolve };
        for (const { cancel } of delayed.values()) cancel();
        delayed.clear();
        settleWhenDrained();
      }
      await drained.promise;
    },
    get depth() {
      return since.size;
    },
    get oldestWaitMs() {
      for (const sinceMs of since.values()) return nowMs() - sinceMs;
      return 0;
    },
  };
}
