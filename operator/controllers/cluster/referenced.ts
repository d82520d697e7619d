/**
 * Contents of the Secrets and ConfigMaps that resources name, and of no others: known by the metadata of all, fetched one by one
 * when they are named or changed. An object stays the very same until its resourceVersion is another.
 */
import { isUtf8 } from 'node:buffer';
import { KubeError, type KubeClient } from '../../resources/kubernetes/client.ts';
import { listAll } from '../../resources/kubernetes/list-watch.ts';
import {
  type KubeObject,
  type ResourceKind,
  keyOf,
  pathOf,
  splitKey,
} from '../../resources/kubernetes/resource-kind.ts';
import type { Store } from '../../resources/kubernetes/store.ts';
import type { KeyedData } from '../../resources/inventory.ts';
import { oneText } from '../../resources/sharing.ts';
import type { DataObject } from './watches.ts';

export interface Referenced {
  /** Fetches what is named and not yet had; forgets what is not named any more. Settles when all is had as of now. */
  want(keys: ReadonlySet<string>): Promise<void>;
  /** Whether it was named when last asked for, had or not. */
  names(key: string): boolean;
  /** Key to data, of those named that exist. */
  contents(): ReadonlyMap<string, KeyedData>;
}

/** Above so many one page after the other costs less than one request for each. */
const manyMissing = 50;
/** A Secret holds a chain and its key, some 5 kB. */
const pageSize = 200;
/** At once: enough to fill a few connections. */
const parallel = 16;

export function followReferenced(client: KubeClient, kind: ResourceKind, metadata: Store<KubeObject>): Referenced {
  const held = new Map<string, { readonly resourceVersion: string; readonly data: KeyedData }>();
  let contents: ReadonlyMap<string, KeyedData> = new Map();
  let wanted: ReadonlySet<string> = new Set();

  const load = async (key: string): Promise<void> => {
    const { namespace, name } = splitKey(key);
    try {
      const object = await client.request<DataObject>({ method: 'GET', path: pathOf(kind, namespace, name) });
      held.set(key, { resourceVersion: oneText(object.metadata.resourceVersion ?? ''), data: dataOf(object) });
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 404)) throw error;
      held.delete(key); // gone since its metadata were seen; their deletion is on its way
    }
  };

  const isMissing = (key: string): boolean => {
    const there = metadata.get(key);
    return there !== undefined && isOlder(held.get(key)?.resourceVersion, there.metadata.resourceVersion);
  };
  /** Page by page, of each namespace: what nobody asked for is dropped with its page. */
  const loadAll = async (keys: ReadonlySet<string>): Promise<void> => {
    const namespaces = new Set([...keys].map((key) => splitKey(key).namespace));
    for (const namespace of namespaces)
      await listAll({ client, kind, namespace }, pageSize, new AbortController().signal, (object: DataObject) => {
        const key = keyOf(object);
        if (!keys.has(key)) return;
        held.set(key, { resourceVersion: oneText(object.metadata.resourceVersion ?? ''), data: dataOf(object) });
      });
  };

  return {
    async want(keys) {
      wanted = keys;
      const before = held.size;
      for (const key of keys) if (metadata.get(key) === undefined) held.delete(key);
      const missing = [...keys].filter((key) => isMissing(key));
      for (const key of held.keys()) if (!keys.has(key)) held.delete(key);
      if (missing.length > manyMissing) await loadAll(new Set(missing));
      const queue = missing.filter((key) => isMissing(key));
      const worker = async (): Promise<void> => {
        for (let key = queue.pop(); key !== undefined; key = queue.pop()) await load(key);
      };
      await Promise.all(Array.from({ length: Math.min(parallel, queue.length) }, worker));
      if (missing.length > 0 || held.size !== before)
        contents = new Map([...held].map(([key, { data }]) => [key, data]));
    },
    names: (key) => wanted.has(key),
    contents: () => contents,
  };
}

/**
 * A GET may be ahead of the watch: what it brought is not fetched again when the watch catches up. Versions of one resource are
 * numbers that grow (they are opaque by contract, comparable since Kubernetes 1.35); anything else counts as another.
 */
function isOlder(had: string | undefined, seen: string | undefined): boolean {
  if (had === undefined || had === seen) return had === undefined;
  const [a, b] = [Number(had), Number(seen)];
  return Number.isNaN(a) || Number.isNaN(b) || a < b;
}

function decoded(base64: string): Buffer | string {
  const bytes = Buffer.from(base64, 'base64');
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
}

export function dataOf({ data, binaryData, kind }: DataObject): KeyedData {
  const encoded = kind === 'Secret' ? { ...data } : { ...binaryData };
  const plain = kind === 'Secret' ? {} : { ...data };
  return {
    ...Object.fromEntries(Object.entries(encoded).map(([key, text]) => [key, decoded(text)])),
    ...plain,
  };
}
