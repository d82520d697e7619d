import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import type { ResourceKind } from '../../resources/kubernetes/resource-kind.ts';

/** An object that is to be there. */
export interface Planned {
  readonly kind: ResourceKind;
  readonly object: ApplyObject;
}
