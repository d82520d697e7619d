/** An explanation in words. Pure. */
import type { Condition } from '../plan/condition.ts';
import { adviceFor } from './advice.ts';

/** They repeat what another condition says, or what is wanted. */
const summaries: ReadonlySet<string> = new Set(['Ready', 'Paused', 'Stalled']);

export interface Explained {
  readonly kind: 'TrustSpace' | 'DrimboxSite' | 'PacsLink';
  /** `NAMESPACE/NAME`, or `NAME` of a TrustSpace. */
  readonly key: string;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly conditions: readonly Pick<Condition, 'type' | 'status' | 'reason' | 'message' | 'lastTransitionTime'>[];
  /** What else is known: events, the pod. */
  readonly notes: readonly string[];
}

/** What is asked for. */
export interface Target {
  readonly kind: Explained['kind'];
  readonly namespace?: string;
  readonly name: string;
}

/** @param all how many were looked at */
export function writeExplanation(shown: readonly Explained[], all: number): string {
  if (shown.length === 0) return `all ${all} resources are ready\n`;
  return `${shown.map(writeOne).join('\n\n')}\n`;
}

function writeOne(one: Explained): string {
  const ready = one.conditions.find(({ type }) => type === 'Ready');
  const since = ready === undefined ? '' : ` since ${ready.lastTransitionTime}`;
  const verdict = ready?.status === 'True' ? `ready${since}` : `not ready${since}`;
  const stale =
    one.conditions.length === 0 || (one.observedGeneration === 0 && one.generation > 0)
      ? ['  no operator has looked at it yet: is one running, and does it look at this namespace?']
      : one.observedGeneration < one.generation
        ? ['  the operator has not looked at the latest change yet']
        : [];
  const causes = one.conditions.filter(({ type, status }) => !summaries.has(type) && status !== 'True');
  const warnings = one.conditions.filter(
    ({ type, status, reason }) =>
      status === 'True' && ((type === 'Paused' && reason === 'Paused') || reason.startsWith('Expires')),
  );
  const notes = one.notes.map((note) => `  ${note}`);
  return [`${one.kind} ${one.key}: ${verdict}`, ...stale, ...[...causes, ...warnings].map(writeCause), ...notes].join(
    '\n',
  );
}

function writeCause({ type, status, reason, message }: Explained['conditions'][number]): string {
  const advice = adviceFor(type, reason);
  return [
    `  ${type} is ${status}: ${reason}`,
    ...(message === '' ? [] : [`    ${message}`]),
    ...(advice === undefined ? [] : [`    what to do: ${advice}`]),
  ].join('\n');
}
