/** What a reflector has seen, with indexes. */
import { oneText } from '../sharing.ts';
import { keyOf, type KubeObject } from './resource-kind.ts';

/** Values under which an object is found; none, one or several. Each is of a few objects only, such as the site they belong to. */
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

export interface WritableStore<T extends KubeObject> extends Store<T> {
  put(object: T): void;
  delete(key: string): void;
  keys(): IterableIterator<string>;
}

export function createStore<T extends KubeObject>(
  indexers: Readonly<Record<string, Indexer<T>>> = {},
): WritableStore<T> {
  const objects = new Map<string, T>();
  const indexes = Object.entries(indexers).map(([name, valuesOf]) => ({
    name,
    valuesOf,
    entries: new Map<string, readonly T[]>(),
  }));
  let version = 0;
  let listed: { readonly version: number; readonly all: readonly T[] } = { version, all: [] };

  const unindex = (object: T): void => {
    for (const { entries, valuesOf } of indexes) {
      for (const value of valuesOf(object)) {
        const left = entries.get(value)?.filter((one) => one !== object) ?? [];
        if (left.length === 0) entries.delete(value);
        else entries.set(value, left);
      }
    }
  };
  const index = (object: T): void => {
    for (const { entries, valuesOf } of indexes) {
      for (const value of valuesOf(object)) entries.set(oneText(value), (entries.get(value) ?? []).concat(object));
    }
  };
  return {
    get: (key) => objects.get(key),
    keys: () => objects.keys(),
    get size() {
      return objects.size;
    },
    get version() {
      return version;
    },
    list() {
      if (listed.version !== version) listed = { version, all: [...objects.values()] };
      return listed.all;
    },
    by(name, value) {
      const found = indexes.find((one) => one.name === name);
      if (found === undefined) {
        throw new Error(`index '${name}' was not declared; declared: ${Object.keys(indexers).join(', ') || 'none'}`);
      }
      return found.entries.get(value) ?? [];
    },
    put(object) {
      const key = oneText(keyOf(object));
      const former = objects.get(key);
      if (former !== undefined) unindex(former);
      objects.set(key, object);
      index(object);
      version += 1;
    },
    delete(key) {
      const former = objects.get(key);
      if (former === undefined) return;
      unindex(former);
      objects.delete(key);
      version += 1;
    },
  };
}
