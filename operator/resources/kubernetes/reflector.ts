/** Keeps a store equal to what the API server holds: LIST, then WATCH, and again for ever. */
import type { KubeClient } from './client.ts';
import type { KubeObject, ResourceKind } from './resource-kind.ts';
import type { Indexer, Store } from './store.ts';

export interface Change<T extends KubeObject> {
  readonly type: 'added' | 'modified' | 'deleted';
  /** For `deleted`: the last state known. */
  readonly object: T;
  readonly former?: T;
}

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
  /** Failures that are overcome by trying again, and what a handler of changes threw. */
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

export declare function startReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T>;
