/** What tests ask of a cluster again and again: pods and what became of them, who leads, what a resource says. */
import type { Cluster } from '../parts/cluster/single-node.ts';
import type { ConditionSeen } from '../parts/operator.ts';
import { until } from '../scenarios/site.ts';
import { systemNamespace } from './stage.ts';

export interface PodSeen {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Of all its containers. */
  readonly restarts: number;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly address: string;
}

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
  };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** Much longer than anything should take, on a machine that does other things too. @throws Error saying what did not come */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  await until(what, holds, 120_000);
}

export type Program = 'operator' | 'ingress' | 'gateway';

/** By name. */
export async function programPods(cluster: Cluster, program: Program): Promise<readonly PodSeen[]> {
  const selector = `app.kubernetes.io/name=drimbox-${program}`;
  const list = await asJson<{ items: readonly PodObject[] }>(cluster, 'get', 'pods', '-A', '-l', selector);
  return list.items.map(({ metadata, status }) => ({
    name: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid,
    restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    ready: status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false,
    leaving: metadata.deletionTimestamp !== undefined,
    address: status.podIP ?? '',
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
  const args = ['get', 'lease', 'drimbox-operator', '-o', 'jsonpath={.spec.holderIdentity}'];
  const holder = await cluster.kubectl('-n', systemNamespace, ...args);
  const pods = await programPods(cluster, 'operator');
  return pods.find(({ name }) => holder.startsWith(name))?.name ?? holder;
}

export interface ResourceSeen {
  readonly metadata: { readonly name: string; readonly generation: number; readonly uid: string };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly ConditionSeen[] };
}

/** @param name as kubectl takes it: `drimboxsite/nord` */
export async function seen(cluster: Cluster, namespace: string, name: string): Promise<ResourceSeen> {
  return await asJson<ResourceSeen>(cluster, '-n', namespace, 'get', name);
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

export async function asJson<T>(cluster: Cluster, ...args: readonly string[]): Promise<T> {
  return JSON.parse(await cluster.kubectl(...args, '-o', 'json')) as T;
}
