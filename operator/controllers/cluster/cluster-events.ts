/** What the journal tells of a resource also stands beside it: `kubectl describe` shows it. Few: what a person would act upon. */
import type { EventOf, OperatorEvent } from '../../observability/events.ts';
import type { OperatorJournal } from '../../observability/journal.ts';
import type { EventNote, EventRecorder } from '../../resources/kubernetes/events.ts';
import type { KubeObject } from '../../resources/kubernetes/resource-kind.ts';
import type { Watches } from './watches.ts';

export interface ClusterEventsOptions {
  readonly journal: OperatorJournal;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly watches: {
    readonly [K in 'trustSpaces' | 'sites' | 'links']: { readonly store: Pick<Watches[K]['store'], 'get'> };
  };
  readonly isLeader: () => boolean;
  /** When this operator began. */
  readonly startedAt: Date;
}

export function clusterEvents({
  journal,
  recorder,
  watches,
  isLeader,
  startedAt,
}: ClusterEventsOptions): OperatorJournal {
  const find = (kind: string, key: string): Subject | undefined => {
    if (kind === 'TrustSpace') return watches.trustSpaces.store.get(key);
    return (kind === 'DrimboxSite' ? watches.sites : watches.links).store.get(key);
  };
  return {
    events: () => journal.events(),
    record(event) {
      journal.record(event);
      if (!isLeader()) return;
      const told = telling(event);
      const regarding = told && find(told.kind, told.key);
      if (told === undefined || regarding === undefined) return;
      // New to this operator, and said before it began: a thousand sites would be told of again at each start.
      const before = regarding.status?.conditions?.find(({ type }) => type === told.unlessOlder);
      if (before !== undefined && Date.parse(before.lastTransitionTime) < startedAt.getTime()) return;
      recorder.record({ regarding, ...told.note });
    },
  };
}

type Subject = KubeObject & {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly lastTransitionTime: string }[] };
};

interface Told {
  readonly kind: string;
  readonly key: string;
  readonly note: Omit<EventNote, 'regarding'>;
  /** Not told when the resource has a condition of this type from before this operator. */
  readonly unlessOlder?: string;
}

/** undefined for what is counted and logged only. Pure. */
export function telling(event: OperatorEvent): Told | undefined {
  const { name } = event;
  if (name === 'ConditionChanged') return event.type === 'Ready' ? readyTurned(event) : turned(event);
  if (name === 'CertificateExpiring') return warning(event.kind, event.key, 'CheckCertificates', event);
  if (name === 'LinkRejected') return warning('PacsLink', event.link, 'ProgramIngress', event);
  if (name === 'WhitelistRefused' || name === 'WhitelistUnreachable')
    return warning('TrustSpace', event.trustSpace, 'FetchWhitelist', event);
  if (name === 'CrlRefused') return warning('TrustSpace', event.trustSpace, 'FetchCrls', event);
  return undefined;
}

/** Ready sums up the others: whichever makes it False is told by itself, in the same words. */
function readyTurned({ kind, key, status, reason, message, former }: EventOf<'ConditionChanged'>): Told | undefined {
  if (former === 'new' || status === 'False') return undefined;
  const note = `${status === 'True' ? 'Ready' : message}, was ${former}`;
  return { kind, key, note: { type: 'Normal', reason, action: 'Reconcile', note } };
}

/** They say what a person wants, or what another condition says. */
const repeating: ReadonlySet<string> = new Set(['Paused', 'Stalled']);
/** So it is with everything at first, for a moment. */
const beginning: ReadonlySet<string> = new Set(['Fetching', 'NotServed']);

/** To False or to another reason of it, and back to True: what is Unknown in between passes by itself or becomes one of them. */
function turned({ kind, key, type, status, reason, message, former }: EventOf<'ConditionChanged'>): Told | undefined {
  if (repeating.has(type)) return undefined;
  const told = (what: EventNote['type'], note: string): Told => ({
    kind,
    key,
    note: { type: what, reason, action: 'Reconcile', note: `${type}: ${note}` },
  });
  if (status === 'True' && former === 'False') return told('Normal', `True, was ${former}`);
  if (status !== 'False') return undefined;
  if (former !== 'new') return told('Warning', `${message}, was ${former}`);
  return beginning.has(reason) ? undefined : { ...told('Warning', message), unlessOlder: type };
}

function warning(
  kind: string,
  key: string,
  action: string,
  { reason, message }: { reason: string; message: string },
): Told {
  return { kind, key, note: { type: 'Warning', reason, action, note: message } };
}
