/** From what the API server says to what changed. */
import { keyOf, type KubeObject } from './resource-kind.ts';
import { sharing } from '../sharing.ts';
import type { WritableStore } from './store.ts';

export interface Change<T extends KubeObject> {
  readonly type: 'added' | 'modified' | 'deleted';
  /** For `deleted`: the last state known. */
  readonly object: T;
  readonly former?: T;
}

/** What arrives becomes the store; a change is told only when there is one, and objects stay the same ones otherwise. */
export function createIntake<T extends KubeObject>(
  store: WritableStore<T>,
  transform: ((object: T) => T) | undefined,
  onChange: ((change: Change<T>) => void) | undefined,
  report: (error: unknown) => void,
): { put(object: KubeObject): void; delete(object: KubeObject): void } {
  const tell = (change: Change<T>): void => {
    try {
      onChange?.(change);
    } catch (error) {
      // A handler's fault is its own; the watch goes on.
      report(error);
    }
  };
  const remove = (former: T): void => {
    store.delete(keyOf(former));
    tell({ type: 'deleted', object: former });
  };
  /** What a new object has in common with others it has most likely with the last one: limits, labels, ports. */
  let lately: T | undefined;
  return {
    put(incoming) {
      const former = store.get(keyOf(incoming));
      const { uid, resourceVersion } = incoming.metadata;
      if (former !== undefined && former.metadata.uid === uid) {
        if (former.metadata.resourceVersion === resourceVersion) return;
      } else if (former !== undefined) {
        // Deleted and made again while nobody listened: two objects, whatever their name.
        remove(former);
      }
      const modified = former !== undefined && former.metadata.uid === uid;
      const kept = transform === undefined ? (incoming as T) : transform(incoming as T);
      const object = sharing(kept, modified ? former : lately);
      lately = object;
      store.put(object);
      tell(modified ? { type: 'modified', object, former } : { type: 'added', object });
    },
    delete(incoming) {
      const former = store.get(keyOf(incoming));
      if (former !== undefined) remove(former);
    },
  };
}
