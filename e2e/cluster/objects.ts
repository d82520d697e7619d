/**
 * What tests ask of a cluster again and again: pods and what became of them, who leads, what a resource says. Asked over one connection
 * that stays: a kubectl for each look takes more processor time than all that is looked at.
 */
import { asked } from '../parts/cluster/api.ts';
import type { Cluster } from '../parts/cluster/single-node.ts';
import type { ConditionSeen } from '../parts/operator.ts';
import { until } from '../scenarios/site.ts';
import { systemNamespace } from './installation.ts';

export interface PodSeen {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Of all its containers. */
  readonly restarts: number;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly address: string;
  /** Of its first container. */
  readonly image: string;
}

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** Much longer than anything should take, on a machine that does other things too. @throws Error saying what did not come */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  await until(what, holds, 120_000, 100);
}

export type Program = 'operator' | 'ingress' | 'gateway';

/** By name. */
export async function programPods(cluster: Cluster, program: Program): Promise<readonly PodSeen[]> {
  const selector = `labelSelector=app.kubernetes.io%2Fname%3Ddrimbox-${program}`;
  const list = await asked<{ items: readonly PodObject[] }>(cluster, `/api/v1/pods?${selector}`);
  return list.items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid,
    restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    ready: status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false,
    leaving: metadata.deletionTimestamp !== undefined,
    address: status.podIP ?? '',
    image: spec.containers[0]?.image ?? '',
  }));
}

/** To compare with: the same pods, never restarted since. */
export async function identityOf(cluster: Cluster, ...programs: readonly Program[]): Promise<readonly string[]> {
  const all = await Promise.all(programs.map(async (program) => await programPods(cluster, program)));
  return all.flat().map(({ name, uid, restarts }) => `${name} ${uid} ${restarts}`);
}

export async function untilPods(cluster: Cluster, program: Program, count: number): Promise<void> {
  await eventually(`${count} pods of the ${program} ready, no others`, async () => {
    const pods = await programPods(cluster, program);
    return pods.length === count && pods.every(({ ready, leaving }) => ready && !leaving);
  });
}

/** Name of the pod that holds the lease; '' when nobody does. */
export async function leaderOf(cluster: Cluster): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${systemNamespace}/leases/drimbox-operator`;
  const { spec } = await asked<{ spec: { holderIdentity?: string } }>(cluster, path);
  const holder = spec.holderIdentity ?? '';
  const pods = await programPods(cluster, 'operator');
  return pods.find(({ name }) => holder.startsWith(name))?.name ?? holder;
}

export interface ResourceSeen {
  readonly metadata: { readonly name: string; readonly generation: number; readonly uid: string };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly ConditionSeen[] };
}

/** @param name as kubectl takes it: `drimboxsite/nord` */
export async function seen(cluster: Cluster, namespace: string, name: string): Promise<ResourceSeen> {
  const [kind, own] = name.split('/');
  return await asked<ResourceSeen>(cluster, `/apis/drimbox.dev/v1alpha1/namespaces/${namespace}/${kind}s/${own}`);
}

/** Where the objects are of which a site is made. */
const collections = {
  statefulset: 'apis/apps/v1',
  controllerrevision: 'apis/apps/v1',
  networkpolicy: 'apis/networking.k8s.io/v1',
  pod: 'api/v1',
  service: 'api/v1',
  configmap: 'api/v1',
  secret: 'api/v1',
  persistentvolumeclaim: 'api/v1',
} as const;
export type ObjectKind = keyof typeof collections;
export const objectKinds = Object.keys(collections) as readonly ObjectKind[];

/** `KIND/NAME` of what stands in a namespace, sorted. */
export async function objectsIn(
  cluster: Cluster,
  namespace: string,
  kinds: readonly ObjectKind[] = objectKinds,
): Promise<readonly string[]> {
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const plural = kind === 'networkpolicy' ? 'networkpolicies' : `${kind}s`;
      const path = `/${collections[kind]}/namespaces/${namespace}/${plural}`;
      const { items } = await asked<{ items: readonly PodObject[] }>(cluster, path);
      return items.map(({ metadata }) => `${kind}/${metadata.name}`);
    }),
  );
  return lists.flat().toSorted();
}

export function conditionOf({ status }: ResourceSeen, type: string): ConditionSeen | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** The latest spec was looked at, and all is well. */
export function isCurrent(resource: ResourceSeen): boolean {
  return (
    resource.status?.observedGeneration === resource.metadata.generation &&
    conditionOf(resource, 'Ready')?.status === 'True'
  );
}
