/** What a reflector has seen, with indexes. */
import type { KubeObject } from './resource-kind.ts';

/** Values under which an object is found; none, one or several. */
export type Indexer<T> = (object: T) => readonly string[];

export interface Store<T extends KubeObject> {
  /** @param key `namespace/name`, or `name` for a cluster-scoped kind (keyOf) */
  get(key: string): T | undefined;
  /** Each object is the very same one for as long as its resourceVersion is; the list is too while `version` is. */
  list(): readonly T[];
  readonly size: number;
  /** @throws Error for an index that was not declared */
  by(index: string, value: string): readonly T[];
  /** Grows with every change. */
  readonly version: number;
}
