/** Server-side apply that does nothing when nothing would change. */
import type { KubeClient } from './client.ts';
import { KubeError } from './kube-error.ts';
import { oneText } from '../sharing.ts';
import { hashOf, project } from './owned-fields.ts';
import { type Refusal, refusalOf } from './refusal.ts';
import {
  apiVersionOf,
  countedKinds,
  isOlderVersion,
  keyOf,
  type KubeObject,
  pathOf,
  type ResourceKind,
  splitKey,
} from './resource-kind.ts';
import { applyPatch } from './retry.ts';

export type { Refusal } from './refusal.ts';

/** What the operator writes: an object with at least its name; what is left out is not owned. */
export type ApplyObject = KubeObject & Readonly<Record<string, unknown>>;

/** `data` of a Secret (RFC 4648 base64). */
export function secretData(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text, 'utf8').toString('base64')]),
  );
}

export type ApplyOutcome =
  | { readonly outcome: 'applied' | 'unchanged'; readonly object: KubeObject }
  /**
   * Words of the API server. conflict: another manager owns a field; immutable: only a new object can have it;
   * refused: a webhook or policy; invalid: the schema; forbidden: RBAC or a quota; terminating: the namespace is going;
   * absent: the namespace, the kind or (status) the object is not there.
   */
  | { readonly outcome: Refusal; readonly message: string; readonly fields: readonly string[] };

export type RemoveOutcome = 'removed' | 'absent' | 'replaced';

export interface ApplierOptions {
  readonly client: KubeClient;
  /** The reflectors' view of an object; undefined when it is not there. */
  readonly live: (kind: ResourceKind, key: string) => KubeObject | undefined;
  readonly onOutcome?: (kind: ResourceKind, outcome: ApplyOutcome['outcome']) => void;
}

export interface ApplyOptions {
  /** `drimbox-operator` unless told. */
  readonly manager?: string;
  /** True unless told: fields that others wrote become ours. */
  readonly force?: boolean;
}

export interface Applier {
  /** @throws KubeError for what may pass (429, 5xx), Error without an answer: try again later */
  apply(kind: ResourceKind, object: ApplyObject, options?: ApplyOptions): Promise<ApplyOutcome>;
  /** Whole status, under the manager `drimbox-operator-status`. @param key keyOf */
  applyStatus(kind: ResourceKind, key: string, status: object): Promise<ApplyOutcome>;
  /**
   * With `uid` only that very object; 'replaced' when another has its name. Propagation is Background unless told.
   * @throws KubeError
   */
  remove(
    kind: ResourceKind,
    key: string,
    options?: { readonly uid?: string; readonly propagation?: 'Background' | 'Foreground' | 'Orphan' },
  ): Promise<RemoveOutcome>;
}

/** What our last apply of a place came to; nothing of the object itself, as there may be ten thousand. */
interface Remembered {
  readonly manager: string;
  readonly subresource: string | undefined;
  readonly desired: string;
  /** resourceVersion at which the fields we own were last known to be as wanted. */
  resourceVersion: string | undefined;
  /** Hash of those fields as the API server wrote them: it normalises quantities and fills in defaults. */
  readonly owned: string;
}

export function createApplier({ client, live, onOutcome }: ApplierOptions): Applier {
  const memory = createMemory(live);

  const send = async (
    kind: ResourceKind,
    key: string,
    desired: object,
    target: { readonly manager: string; readonly force: boolean; readonly subresource?: string },
  ): Promise<ApplyOutcome> => {
    const { namespace, name } = splitKey(key);
    const wanted = hashOf(desired);
    const place: Place = { kind, key, ...target };
    const there = live(kind, key);
    if (there !== undefined && memory.holds(place, wanted, desired, there)) {
      onOutcome?.(kind, 'unchanged');
      return { outcome: 'unchanged', object: there };
    }
    try {
      const object = await client.request<KubeObject>({
        method: 'PATCH',
        path: pathOf(kind, namespace, name, target.subresource),
        query: { fieldManager: target.manager, force: target.force, fieldValidation: 'Strict' },
        contentType: applyPatch,
        body: desired,
      });
      memory.keep(place, wanted, desired, object);
      onOutcome?.(kind, 'applied');
      return { outcome: 'applied', object };
    } catch (error) {
      memory.drop(place);
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      onOutcome?.(kind, refusal.outcome);
      return refusal;
    }
  };

  return {
    async apply(kind, object, { manager = 'drimbox-operator', force = true } = {}) {
      return await send(kind, keyOf(object), object, { manager, force });
    },
    async applyStatus(kind, key, status) {
      const desired = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: splitKey(key), status };
      return await send(kind, key, desired, { manager: 'drimbox-operator-status', force: true, subresource: 'status' });
    },
    async remove(kind, key, { uid, propagation = 'Background' } = {}) {
      const { namespace, name } = splitKey(key);
      const preconditions = uid === undefined ? {} : { preconditions: { uid } };
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: propagation, ...preconditions };
      memory.forget(kind, key);
      try {
        await client.request({ method: 'DELETE', path: pathOf(kind, namespace, name), body });
        return 'removed';
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (error.status === 404) return 'absent';
        if (error.status === 409 && uid !== undefined) return 'replaced';
        throw error;
      }
    },
  };
}

/** A part of an object that is applied as one: under one manager, the object or its status. */
interface Place {
  readonly kind: ResourceKind;
  readonly key: string;
  readonly manager: string;
  readonly subresource?: string;
}

function isOf({ manager, subresource }: Remembered, place: Place): boolean {
  return manager === place.manager && subresource === place.subresource;
}

interface Memory {
  /** What is there is what we applied last, in the fields we own. */
  holds(place: Place, wanted: string, desired: object, there: KubeObject): boolean;
  keep(place: Place, wanted: string, desired: object, applied: KubeObject): void;
  drop(place: Place): void;
  forget(kind: ResourceKind, key: string): void;
}

function ownedHash({ kind, subresource }: Place, there: KubeObject, desired: object): string {
  // A status is not counted by generations.
  if (!countedKinds.has(kind) || subresource !== undefined) return hashOf(project(there, desired));
  const { metadata } = there;
  return hashOf([project({ metadata }, { metadata: (desired as KubeObject).metadata }), metadata.generation]);
}

/** Below so many objects nobody looks for those that are gone. */
const leastSweep = 1_000;

function createMemory(live: ApplierOptions['live']): Memory {
  /** By kind and key; of each object one or two. */
  const objects = new Map<ResourceKind, Map<string, readonly Remembered[]>>();
  const ofKind = (kind: ResourceKind): Map<string, readonly Remembered[]> => {
    const known = objects.get(kind) ?? new Map<string, readonly Remembered[]>();
    objects.set(kind, known);
    return known;
  };
  const all = ({ kind, key }: Place): readonly Remembered[] => objects.get(kind)?.get(key) ?? [];
  const find = (place: Place): Remembered | undefined => all(place).find((one) => isOf(one, place));
  const othersThan = (place: Place): readonly Remembered[] => all(place).filter((one) => !isOf(one, place));
  let sweepAt = leastSweep;
  const size = (): number => [...objects.values()].reduce((sum, keys) => sum + keys.size, 0);
  /** Objects that others deleted would be remembered for ever. */
  const sweep = (): void => {
    for (const [kind, keys] of objects)
      for (const key of keys.keys()) if (live(kind, key) === undefined) keys.delete(key);
    sweepAt = Math.max(leastSweep, size() * 2);
  };
  return {
    holds(place, wanted, desired, there) {
      const last = find(place);
      if (last === undefined || last.desired !== wanted) return false;
      if (last.resourceVersion === there.metadata.resourceVersion) return true;
      // The watch has not caught up with what we wrote: what it shows is of before.
      if (isOlderVersion(there.metadata.resourceVersion, last.resourceVersion)) return true;
      if (last.owned !== ownedHash(place, there, desired)) return false;
      last.resourceVersion = there.metadata.resourceVersion;
      return true;
    },
    keep(place, wanted, desired, applied) {
      const { kind, key, manager, subresource } = place;
      const { resourceVersion } = applied.metadata;
      const owned = ownedHash(place, applied, desired);
      const made = {
        manager,
        subresource,
        desired: wanted,
        resourceVersion: resourceVersion && oneText(resourceVersion),
        owned: owned === wanted ? wanted : owned,
      };
      ofKind(kind).set(oneText(key), othersThan(place).concat(made));
      if (size() > sweepAt) sweep();
    },
    drop(place) {
      const others = othersThan(place);
      if (others.length === 0) objects.get(place.kind)?.delete(place.key);
      else objects.get(place.kind)?.set(place.key, others);
    },
    forget: (kind, key) => void objects.get(kind)?.delete(key),
  };
}
