/**
 * What each replica hears from the proxies connected to it, told to the others in a ConfigMap: the leader writes the conditions, and the
 * proxies may all be connected to another replica. Written only when it says something new; it goes with the pod of its replica.
 */
import { programmed } from '../../ingress/observe.ts';
import { ownLabels } from '../../infrastructure/kubernetes/names.ts';
import type { IngressObservation, Observations } from '../../plan/observations.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';
import { type PlanDigest, linkDigestLength } from './plan-digest.ts';
import { type DataObject, replicaLabel } from './watches.ts';

export interface ReplicaReport {
  readonly instance: string;
  readonly connected: number;
  /** Digest of the plan that it serves. */
  readonly plan: string;
  /** Digests of the links in that plan, one after the other; none where no proxy is connected, absent in a report of an earlier version. */
  readonly links?: string;
  /** Links that are not programmed at its proxies, and why; 'many' when they are too many to name. */
  readonly open: Readonly<Record<string, IngressObservation>> | 'many';
}

/** Beyond it naming each would fill a ConfigMap, and they are on their way together. */
const mostNamed = 500;

export function reportOf(
  instance: string,
  { plan, links }: PlanDigest,
  connected: number,
  observed: Observations['ingress'],
): ReplicaReport {
  const open = [...observed].filter(([, { status }]) => status !== 'True');
  return {
    instance,
    connected,
    plan,
    links: connected === 0 ? '' : [...links.values()].join(''),
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
  readonly digest: PlanDigest;
  readonly connected: number;
  readonly observed: Observations['ingress'];
}

/** What all proxies say together: a link is programmed when it is at each of them. Pure. */
export function combined(own: OwnView, reports: readonly ReplicaReport[]): Observations['ingress'] {
  const others = reports.filter(({ instance, connected }) => instance !== own.instance && connected > 0);
  if (others.length === 0) return own.observed;
  const views = others.map((report) => ({ report, serves: servedBy(report, own.digest) }));
  return new Map(
    [...own.observed].map(([link, mine]) => {
      const theirs = views.map(({ report, serves }) => heard(link, report, serves(link)));
      const said = own.connected > 0 ? [mine, ...theirs] : theirs;
      const worst =
        said.find(({ status }) => status === 'False') ?? said.find(({ status }) => status === 'Unknown') ?? programmed;
      return [link, worst];
    }),
  );
}

/**
 * Whether a link that a replica speaks of is the one that this replica planned: also in a plan that is older, newer, or was never made
 * here, for one that changed says nothing of the thousands that did not. Asked of digests, not of plans gone by: replicas see changes
 * one by one or several at once, and who just came to lead has seen none.
 */
function servedBy({ plan, links = '' }: ReplicaReport, own: PlanDigest): (link: string) => boolean {
  if (plan === own.plan) return () => true;
  const theirs = new Set<string>();
  for (let at = 0; at < links.length; at += linkDigestLength) theirs.add(links.slice(at, at + linkDigestLength));
  return (link) => theirs.has(own.links.get(link) ?? '');
}

function heard(link: string, { instance, open }: ReplicaReport, isServed: boolean): IngressObservation {
  const said = open === 'many' ? undefined : open[link];
  // A refusal stands whatever else is on its way.
  if (said?.status === 'False') return said;
  if (!isServed || open === 'many')
    return {
      status: 'Unknown',
      reason: 'NotAcknowledged',
      message: `the proxies of replica ${instance} have not acknowledged it yet`,
    };
  return said ?? programmed;
}
