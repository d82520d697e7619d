/** Server-side apply that does nothing when nothing would change. */
import type { KubeClient } from './client.ts';
import type { KubeObject, ResourceKind } from './resource-kind.ts';

/** What the operator writes: an object with at least its name; what is left out is not owned. */
export type ApplyObject = KubeObject & Readonly<Record<string, unknown>>;

export type ApplyOutcome =
  | { readonly outcome: 'applied' | 'unchanged'; readonly object: KubeObject }
  /**
   * Words of the API server. conflict: another manager owns a field; immutable: only a new object can have it;
   * refused: a webhook or policy; invalid: the schema; forbidden: RBAC or a quota; terminating: the namespace is going;
   * absent: the namespace, the kind or (status) the object is not there.
   */
  | { readonly outcome: Refusal; readonly message: string; readonly fields: readonly string[] };

export type Refusal = 'conflict' | 'immutable' | 'refused' | 'invalid' | 'forbidden' | 'terminating' | 'absent';

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

export declare function createApplier(options: ApplierOptions): Applier;
