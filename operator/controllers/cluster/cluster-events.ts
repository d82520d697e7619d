/** What the journal tells of a resource also stands beside it: `kubectl describe` shows it. Few: what a person would act upon. */
import type { EventOf, OperatorEvent } from '../../observability/events.ts';
import type { OperatorJournal } from '../../observability/journal.ts';
import type { EventNote, EventRecorder } from '../../resources/kubernetes/events.ts';
import type { KubeObject } from '../../resources/kubernetes/resource-kind.ts';
import type { Watches } from './watches.ts';

export interface ClusterEventsOptions {
  readonly journal: OperatorJournal;
  readonly recorder: EventRecorder;
  readonly watches: Watches;
  readonly isLeader: () => boolean;
}

export function clusterEvents({ journal, recorder, watches, isLeader }: ClusterEventsOptions): OperatorJournal {
  const find = (kind: string, key: string): KubeObject | undefined => {
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
      if (told !== undefined && regarding !== undefined) recorder.record({ regarding, ...told.note });
    },
  };
}

interface Told {
  readonly kind: string;
  readonly key: string;
  readonly note: Omit<EventNote, 'regarding'>;
}

/** undefined for what is counted and logged only. Pure. */
export function telling(event: OperatorEvent): Told | undefined {
  const { name } = event;
  if (name === 'ConditionChanged') return event.type === 'Ready' && event.former !== '' ? changed(event) : undefined;
  if (name === 'CertificateExpiring') return warning(event.kind, event.key, 'CheckCertificates', event);
  if (name === 'LinkRejected') return warning('PacsLink', event.link, 'ProgramIngress', event);
  if (name === 'WhitelistRefused' || name === 'WhitelistUnreachable')
    return warning('TrustSpace', event.trustSpace, 'FetchWhitelist', event);
  if (name === 'CrlRefused') return warning('TrustSpace', event.trustSpace, 'FetchCrls', event);
  return undefined;
}

/** Ready sums up the others; a condition seen for the first time is no change. */
function changed({ kind, key, status, reason, message, former }: EventOf<'ConditionChanged'>): Told {
  const note = `${status === 'True' ? 'Ready' : message}, was ${former}`;
  return { kind, key, note: { type: status === 'False' ? 'Warning' : 'Normal', reason, action: 'Reconcile', note } };
}

function warning(
  kind: string,
  key: string,
  action: string,
  { reason, message }: { reason: string; message: string },
): Told {
  return { kind, key, note: { type: 'Warning', reason, action, note: message } };
}
