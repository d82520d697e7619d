/** Events read off two statuses, one round apart. Pure: conditions decide, and each change is told once, by its closest name. */
import type { Condition } from '../plan/condition.ts';
import type { ResourceStatus } from '../plan/status.ts';
import type { OperatorEvent } from './events.ts';

interface Change {
  readonly resource: ResourceStatus;
  readonly before: ResourceStatus | undefined;
  readonly condition: Condition;
  /** Absent: the resource or its condition is new. */
  readonly former: Condition | undefined;
}

/** One resource after the other, so that whoever tells thousands can halt in between. */
export function* changesBetween(
  before: readonly ResourceStatus[],
  after: readonly ResourceStatus[],
): Generator<OperatorEvent, void, undefined> {
  const formers = new Map(before.map((one) => [`${one.kind} ${one.key}`, one]));
  for (const resource of after) {
    const old = formers.get(`${resource.kind} ${resource.key}`);
    if (old === resource) continue;
    for (const condition of resource.conditions) {
      const former = old?.conditions.find(({ type }) => type === condition.type);
      yield* eventsOf({ resource, before: old, condition, former });
    }
  }
}

/** What a condition says beyond its change; undefined when its change is all. */
type Reader = (change: Change) => OperatorEvent | undefined;

const readers: Readonly<Record<string, Reader>> = {
  'TrustSpace WhitelistVerified': whitelistEvent,
  'TrustSpace CrlFresh': crlEvent,
  'DrimboxSite CertificatesReady': certificateEvent,
  'PacsLink CertificatesReady': certificateEvent,
  'PacsLink IngressProgrammed': linkEvent,
};

function eventsOf(change: Change): readonly OperatorEvent[] {
  const { resource, condition, former } = change;
  const event = readers[`${resource.kind} ${condition.type}`]?.(change);
  if (event !== undefined) return [event];
  const { type, status, reason, message } = condition;
  // Not looked at yet is no news; nor is a site that is not paused.
  if (former === undefined && (status === 'Unknown' || type === 'Paused')) return [];
  // Ready repeats the reason of another condition, which is told by that one.
  const same = former?.status === status && (type === 'Ready' || former.reason === reason);
  if (same) return [];
  const { kind, key } = resource;
  return [{ name: 'ConditionChanged', kind, key, type, status, reason, message, former: former?.status ?? 'new' }];
}

/** Reasons with which nothing was wrong with a list: there was none to look at. */
const silent: ReadonlySet<string> = new Set(['Unreachable', 'UnreachableTwoDays', 'Stale', 'Absent']);

function whitelistEvent({ resource, before, condition, former }: Change): OperatorEvent | undefined {
  const { reason, message, status } = condition;
  const trustSpace = resource.key;
  const list = whitelistOf(resource);
  if (list !== undefined && list.generatedAt !== whitelistOf(before)?.generatedAt)
    return { name: 'WhitelistAccepted', trustSpace, ...list };
  if (former?.reason === reason) return undefined;
  if (silent.has(reason)) return { name: 'WhitelistUnreachable', trustSpace, reason, message };
  // At the first start the list comes before the CRLs it is judged by: no fault of the list.
  const early = resource.conditions.some((one) => one.type === 'CrlFresh' && one.reason === 'Fetching');
  return status === 'False' && !early ? { name: 'WhitelistRefused', trustSpace, reason, message } : undefined;
}

function whitelistOf(
  resource: ResourceStatus | undefined,
): { readonly generatedAt: string; readonly domains: number } | undefined {
  const list = resource?.fields['whitelist'];
  if (typeof list !== 'object' || list === null || !('generatedAt' in list)) return undefined;
  return { generatedAt: String(list.generatedAt), domains: 'domains' in list ? Number(list.domains) : 0 };
}

function crlEvent({ resource, before, condition, former }: Change): OperatorEvent | undefined {
  const { reason, message, status } = condition;
  const trustSpace = resource.key;
  const nextUpdate = resource.fields['crlExpiry'];
  if (status === 'True' && typeof nextUpdate === 'string' && nextUpdate !== before?.fields['crlExpiry'])
    return { name: 'CrlRefreshed', trustSpace, nextUpdate };
  const refused = status === 'False' && reason !== 'Fetching' && former?.reason !== reason;
  return refused ? { name: 'CrlRefused', trustSpace, reason, message } : undefined;
}

function certificateEvent({ resource, condition, former }: Change): OperatorEvent | undefined {
  const { reason, message } = condition;
  if (reason === former?.reason || !/^Expire(?:d$|sIn)/.test(reason)) return undefined;
  return { name: 'CertificateExpiring', kind: resource.kind, key: resource.key, reason, message };
}

function linkEvent({ resource, condition, former }: Change): OperatorEvent | undefined {
  const { reason, message } = condition;
  const link = resource.key;
  if (reason === 'Programmed') return former?.reason === reason ? undefined : { name: 'LinkProgrammed', link };
  if (reason !== 'RejectedByProxy') return undefined;
  // the proxy may refuse the next attempt in other words
  const same = former?.reason === reason && former.message === message;
  return same ? undefined : { name: 'LinkRejected', link, reason, message };
}
