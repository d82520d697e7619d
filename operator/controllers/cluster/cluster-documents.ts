/**
 * What the operator fetched and verified, in ConfigMaps of its own namespace: a new leader, and one that starts while the publisher is
 * away, has the last good list and CRLs. Only the leader writes; the others see what it wrote.
 */
import { createHash } from 'node:crypto';
import { unpack } from '../../../common/contract/packed-file.ts';
import { configMapNames, toConfigMaps } from '../../infrastructure/kubernetes/config-maps.ts';
import { ownLabels } from '../../infrastructure/kubernetes/names.ts';
import { bytesIn, type KeyedData } from '../../resources/inventory.ts';
import { sameItems } from '../../plan/remembered.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import type { Store } from '../../resources/kubernetes/store.ts';
import type { DocumentStore } from '../../trust/document-store.ts';
import { dataOf } from './referenced.ts';
import { type DataObject, documentLabel } from './watches.ts';

const nameAnnotation = 'drimbox.dev/document';

export interface ClusterDocuments extends DocumentStore {
  /** What is to be written, and the ConfigMaps to be removed; told again until {@link settle} hears of it. */
  pending(): readonly PendingDocument[];
  /** That document was written as it was told. */
  settle(document: PendingDocument): void;
  /** Grows when a read would answer differently. */
  readonly version: number;
}

export interface PendingDocument {
  readonly name: string;
  readonly apply: readonly ApplyObject[];
  /** Names of ConfigMaps that are not needed any more. */
  readonly remove: readonly string[];
}

/** Written here; undefined bytes: removed. */
interface Written {
  readonly bytes: Buffer | undefined;
  /** Version of the store when the API server had taken it: from the next one on the store knows better. */
  takenAt?: number;
}

/**
 * @param mayWrite false: writing does nothing, another replica does it
 * @param onPending told when there is something new to write
 */
export function clusterDocuments(
  namespace: string,
  store: Store<DataObject>,
  mayWrite: () => boolean,
  onPending: () => void,
): ClusterDocuments {
  const written = new Map<string, Written>();
  const waiting = new Map<string, PendingDocument>();
  const cache = new Map<string, { readonly objects: readonly DataObject[]; readonly bytes: Buffer }>();
  let writes = 0;

  const published = (name: string): Buffer | undefined => {
    const names = configMapNames(objectName(name));
    const objects = names.flatMap((one) => store.get(`${namespace}/${one}`) ?? []);
    const known = cache.get(name);
    if (known !== undefined && sameItems(known.objects, objects)) return known.bytes;
    const bytes = fromConfigMaps(objects);
    if (bytes === undefined) cache.delete(name);
    else cache.set(name, { objects, bytes });
    return bytes;
  };
  const current = (name: string): Buffer | undefined => {
    const own = written.get(name);
    if (own === undefined) return published(name);
    if (own.takenAt === undefined || store.version === own.takenAt) return own.bytes;
    written.delete(name);
    return published(name);
  };
  const change = (name: string, bytes: Buffer | undefined): void => {
    written.set(name, { bytes });
    writes += 1;
    const apply =
      bytes === undefined
        ? []
        : toConfigMaps(objectName(name), metadataOf(namespace, name), [{ name: 'document', bytes }]);
    const kept = new Set(apply.map(({ metadata }) => metadata.name));
    const remove = configMapNames(objectName(name)).filter(
      (one) => !kept.has(one) && store.get(`${namespace}/${one}`) !== undefined,
    );
    waiting.set(name, { name, apply, remove });
    onPending();
  };
  return {
    get version() {
      return store.version + writes;
    },
    read: current,
    write(name, bytes) {
      const next = Buffer.from(bytes);
      const former = current(name);
      if (mayWrite() && (former === undefined || !next.equals(former))) change(name, next);
    },
    remove(name) {
      if (mayWrite() && current(name) !== undefined) change(name, undefined);
    },
    pending: () => [...waiting.values()],
    settle(document) {
      if (waiting.get(document.name) !== document) return;
      waiting.delete(document.name);
      const own = written.get(document.name);
      if (own !== undefined) own.takenAt = store.version;
    },
  };
}

function objectName(name: string): string {
  return `drimbox-document-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

function metadataOf(namespace: string, name: string): Omit<ApplyObject['metadata'], 'name'> {
  return {
    namespace,
    labels: {
      ...ownLabels,
      [documentLabel]: 'true',
    },
    annotations: { [nameAnnotation]: name },
  };
}

/** undefined when there is none, or parts are still on their way. */
function fromConfigMaps(objects: readonly DataObject[]): Buffer | undefined {
  const data: KeyedData = Object.assign({}, ...objects.map(dataOf));
  const { document } = data;
  if (document !== undefined) return bytesIn(document);
  const parts = Object.keys(data)
    .filter((key) => key.startsWith('document.gz.'))
    .toSorted((a, b) => Number(a.slice(12)) - Number(b.slice(12)))
    .flatMap((key) => (data[key] === undefined ? [] : bytesIn(data[key])));
  if (parts.length === 0) return undefined;
  try {
    return unpack(parts);
  } catch {
    return undefined; // of several ConfigMaps only some have arrived: the checksum is not that of a whole
  }
}
