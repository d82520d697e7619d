/** How an operator of a cluster is told to work: flags and environment, not resources. */
import type { WorkloadSettings } from '../../infrastructure/kubernetes/site-objects.ts';

export interface ClusterSettings {
  /** Where this operator, its Lease and its own documents live. */
  readonly namespace: string;
  /** Namespaces in which sites are looked for; 'all' needs rights over the whole cluster. */
  readonly namespaces: readonly string[] | 'all';
  /** Pod name: identity in the Lease, in events and among the replicas. */
  readonly instance: string;
  /** Of its pod, when it is one. */
  readonly podUid?: string;
  readonly workload: WorkloadSettings;
  readonly software: { readonly name: string; readonly version: string };
  /** Between two looks at a gateway's status, ms; every second one is left out once all is well. */
  readonly statusPeriodMs: number;
  /** Between two looks at everything whether it changed or not, ms. */
  readonly resyncMs: number;
}
