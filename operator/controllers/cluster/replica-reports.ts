/**
 * What each replica hears from the proxies connected to it, told to the others in a ConfigMap: the leader writes the conditions, and the
 * proxies may all be connected to another replica. Written only when it says something new; it goes with the pod of its replica.
 */
import { ownLabels } from '../../infrastructure/kubernetes/names.ts';
import type { IngressObservation, Observations } from '../../plan/observations.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import { type DataObject, replicaLabel } from './watches.ts';

export interface ReplicaReport {
  readonly instance: string;
  readonly connected: number;
  /** Digest of the plan that it serves. */
  readonly plan: string;
  /** Links that are not programmed at its proxies, and why; 'many' when they are too many to name. */
  readonly open: Readonly<Record<string, IngressObservation>> | 'many';
}

/** Beyond it naming each would fill a ConfigMap, and they are on their way together. */
const mostNamed = 500;

export function reportOf(
  instance: string,
  plan: string,
  connected: number,
  observed: Observations['ingress'],
): ReplicaReport {
  const open = [...observed].filter(([, { status }]) => status !== 'True');
  return {
    instance,
    connected,
    plan,
    // Without proxies there is nothing to say of links.
    open: connected === 0 ? {} : open.length > mostNamed ? 'many' : Object.fromEntries(open),
  };
}

export interface ReplicaPod {
  readonly name: string;
  readonly uid: string;
}

export function reportName(instance: string): string {
  return `drimbox-replica-${instance}`.slice(0, 253);
}

export function reportObject(namespace: string, report: ReplicaReport, pod: ReplicaPod | undefined): ApplyObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name: reportName(report.instance),
      labels: {
        ...ownLabels,
        [replicaLabel]: 'true',
      },
      ...(pod !== undefined && {
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid }],
      }),
    },
    data: { 'report.json': JSON.stringify(report) },
  };
}

/** undefined for what is no report: someone wrote into it. */
export function readReport({ data }: DataObject): ReplicaReport | undefined {
  try {
    return JSON.parse(data?.['report.json'] ?? '') as ReplicaReport;
  } catch {
    return undefined; // its replica writes it anew with its next news
  }
}

export interface OwnView {
  readonly instance: string;
  readonly plan: string;
  readonly connected: number;
  readonly observed: Observations['ingress'];
}

/** What all proxies say together: a link is programmed when it is at each of them. Pure. */
export function combined(own: OwnView, reports: readonly ReplicaReport[]): Observations['ingress'] {
  const others = reports.filter(({ instance, connected }) => instance !== own.instance && connected > 0);
  if (others.length === 0) return own.observed;
  const all = own.connected + others.reduce((sum, { connected }) => sum + connected, 0);
  return new Map(
    [...own.observed].map(([link, mine]) => {
      const theirs = others.map((report) => heard(link, report, own.plan));
      const views = own.connected > 0 ? [mine, ...theirs] : theirs;
      const worst =
        views.find(({ status }) => status === 'False') ??
        views.find(({ status }) => status === 'Unknown') ??
        programmed(all);
      return [link, worst];
    }),
  );
}

function heard(link: string, { instance, plan, open }: ReplicaReport, current: string): IngressObservation {
  const said = open === 'many' ? undefined : open[link];
  // A refusal stands whatever else is on its way.
  if (said?.status === 'False') return said;
  if (plan !== current || open === 'many')
    return {
      status: 'Unknown',
      reason: 'NotAcknowledged',
      message: `the proxies of replica ${instance} have not acknowledged it yet`,
    };
  return said ?? programmed(1);
}

function programmed(proxies: number): IngressObservation {
  const who = proxies === 1 ? 'the proxy' : `all ${proxies} proxies`;
  return { status: 'True', reason: 'Programmed', message: `${who} acknowledged it` };
}
