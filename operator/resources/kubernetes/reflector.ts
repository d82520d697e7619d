/** Keeps a store equal to what the API server holds: LIST, then WATCH, and again for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from './client.ts';
import { KubeError } from './kube-error.ts';
import { type Change, createIntake } from './intake.ts';
import { type Collection, listAll, watchFrom } from './list-watch.ts';
import { keyOf, type KubeObject, type ResourceKind } from './resource-kind.ts';
import { createStore, type Indexer, type Store, type WritableStore } from './store.ts';

export type { Change } from './intake.ts';

/** Counters and gauges for metrics; each is optional. */
export interface ReflectorHooks {
  /** A LIST begins again, after the first. */
  relisted?(reason: string): void;
  /** A watch begins again. */
  watchRestarted?(reason: string): void;
  /** An event arrived, bookmarks included. */
  heard?(type: string): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly kind: ResourceKind;
  /** 'all' for a cluster-scoped kind or cluster-wide rights; else one list and watch per namespace into one store. */
  readonly namespaces: readonly string[] | 'all';
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only `metadata` is fetched and kept (PartialObjectMetadata). */
  readonly metadataOnly?: boolean;
  /** What is kept of an object; managedFields are gone already. May change it in place. */
  readonly transform?: (object: T) => T;
  readonly indexers?: Readonly<Record<string, Indexer<T>>>;
  readonly onChange?: (change: Change<T>) => void;
  /** Failures that are overcome by trying again, and what a handler of changes threw. Must not throw itself. */
  readonly onError?: (error: unknown) => void;
  readonly hooks?: ReflectorHooks;
  readonly random?: () => number;
  readonly timing?: Partial<ReflectorTiming>;
}

export interface ReflectorTiming {
  /** Objects in a page of LIST. */
  readonly pageSize: number;
  /** Silence after which a watch is taken for dead; longer than the minute between bookmarks. */
  readonly idleMs: number;
  /** Back-off between failures: first, longest. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** Bounds of the time asked for in `timeoutSeconds`. */
  readonly watchSeconds: readonly [number, number];
}

export interface Reflector<T extends KubeObject> {
  readonly store: Store<T>;
  /** Settles once every namespace was listed for the first time; rejects when stopped before. */
  readonly synced: Promise<void>;
  /** Milliseconds since the longest-silent watch was last heard (events, bookmarks, lists). */
  lastHeardMs(): number;
  stop(): Promise<void>;
}

const defaults: ReflectorTiming = {
  pageSize: 500,
  // The API server sends a bookmark about every minute.
  idleMs: 150_000,
  backoffMs: 800,
  maxBackoffMs: 30_000,
  watchSeconds: [290, 590],
};

export function startReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  const store = createStore<T>(options.indexers);
  const stopping = new AbortController();
  const scopes = options.namespaces === 'all' ? [undefined] : [...new Set(options.namespaces)];
  const feeds = scopes.map((namespace) => startFeed(options, namespace, store, stopping.signal));
  const synced = Promise.all(feeds.map((feed) => feed.synced)).then(() => undefined);
  // Whoever waits for it still gets the rejection; nobody has to.
  synced.catch(() => undefined);
  return {
    store,
    synced,
    lastHeardMs: () => Math.max(0, ...feeds.map((feed) => performance.now() - feed.heardAt())),
    async stop() {
      stopping.abort(new Error(`the reflector of ${options.kind.plural} was stopped`));
      await Promise.all(feeds.map((feed) => feed.ended));
    },
  };
}

interface Feed {
  readonly synced: Promise<void>;
  /** Settles after stop, when nothing is under way any more. */
  readonly ended: Promise<void>;
  /** Steady ms. */
  heardAt(): number;
}

/** One loop: LIST, WATCH until it ends, WATCH on from there; back to LIST when told that it was too long ago. */
function startFeed<T extends KubeObject>(
  options: ReflectorOptions<T>,
  namespace: string | undefined,
  store: WritableStore<T>,
  stop: AbortSignal,
): Feed {
  const timing = { ...defaults, ...options.timing };
  const random = options.random ?? Math.random;
  const report = (error: unknown): void => options.onError?.(error);
  const accept = createIntake(store, options.transform, options.onChange, report);
  const collection: Collection = { ...options, namespace };
  const first = Promise.withResolvers<void>();
  // Rejected only by stop(), and then seen through `synced`.
  first.promise.catch(() => undefined);
  let heardAt = performance.now();
  let from: string | undefined;
  let failures = 0;

  const list = async (): Promise<void> => {
    const seen = new Set<string>();
    const version = await listAll(collection, timing.pageSize, stop, (object) => {
      seen.add(keyOf(object));
      accept.put(object);
    });
    const inScope = (object: KubeObject): boolean => namespace === undefined || object.metadata.namespace === namespace;
    for (const object of store.list()) if (!seen.has(keyOf(object)) && inScope(object)) accept.delete(object);
    from = version;
    failures = 0;
    heardAt = performance.now();
    first.resolve();
  };

  const watch = async (resourceVersion: string): Promise<void> => {
    const [least, most] = timing.watchSeconds;
    const seconds = Math.round(least + random() * (most - least));
    const idle = new AbortController();
    const openedAt = performance.now();
    let last = openedAt;
    const watchdog = setInterval(() => {
      if (performance.now() - last > timing.idleMs) {
        idle.abort(new Error(`watch of ${options.kind.plural}: silent for ${timing.idleMs} ms, taken for dead`));
      }
    }, timing.idleMs / 5);
    const forward = (): void => idle.abort(stop.reason);
    stop.addEventListener('abort', forward, { once: true });
    try {
      for await (const heard of watchFrom(collection, resourceVersion, seconds, idle.signal)) {
        last = heardAt = performance.now();
        failures = 0;
        options.hooks?.heard?.(heard.type);
        if (heard.type === 'put') accept.put(heard.object);
        if (heard.type === 'delete') accept.delete(heard.object);
        from = heard.resourceVersion;
      }
    } finally {
      clearInterval(watchdog);
      stop.removeEventListener('abort', forward);
    }
    // A server that closes every watch at once must not be asked in a tight loop.
    if (last === openedAt && last + timing.backoffMs > performance.now()) throw new Error('the watch ended at once');
  };

  const overcome = async (error: unknown): Promise<void> => {
    report(error);
    if (error instanceof KubeError && error.status === 410) {
      from = undefined;
      options.hooks?.relisted?.('expired');
    } else if (from !== undefined) options.hooks?.watchRestarted?.('failed');
    const waitMs = waitAfter(error, failures, timing, random);
    failures += 1;
    await pause(waitMs, stop);
  };

  const run = async (): Promise<void> => {
    while (!stop.aborted) {
      try {
        if (from === undefined) await list();
        else {
          await watch(from);
          options.hooks?.watchRestarted?.('ended');
        }
      } catch (error) {
        if (stop.aborted) break;
        await overcome(error);
      }
    }
    first.reject(stop.reason);
  };
  return { synced: first.promise, ended: run(), heardAt: () => heardAt };
}

/** The first expiry is relisted nearly at once: whatever came between is not known until then. */
function waitAfter(error: unknown, failures: number, timing: ReflectorTiming, random: () => number): number {
  const backoff = Math.min(timing.maxBackoffMs, timing.backoffMs * 2 ** failures) * (0.5 + random());
  if (!(error instanceof KubeError)) return backoff;
  if (error.status === 410 && failures === 0) return timing.backoffMs * random();
  return error.retryAfterMs === undefined ? backoff : Math.max(backoff, error.retryAfterMs * (1 + random() / 4));
}

/** Ends early, and quietly, when stopped: the loop sees that by itself. */
async function pause(ms: number, stop: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: stop });
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}
