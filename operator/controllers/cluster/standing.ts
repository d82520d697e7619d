/** What stands in the cluster of the statuses of our resources, and whether it says what it should. */
import type { ResourceStatus } from '../../plan/status.ts';
import { statusKey } from '../../plan/status.ts';
import { keyOf } from '../../resources/inventory.ts';
import type { Watches } from './watches.ts';

export type Standing = Pick<ResourceStatus, 'conditions'> & Readonly<Record<string, unknown>>;

/** By {@link statusKey}. */
export function standing({ trustSpaces, sites, links }: Watches): ReadonlyMap<string, Standing> {
  const found = new Map<string, Standing>();
  const all = [
    ...trustSpaces.store.list().map((one) => ['TrustSpace', one] as const),
    ...sites.store.list().map((one) => ['DrimboxSite', one] as const),
    ...links.store.list().map((one) => ['PacsLink', one] as const),
  ];
  for (const [kind, { metadata, status }] of all) {
    const conditions = (status?.conditions ?? []).map((one) => ({ observedGeneration: 0, ...one }));
    found.set(statusKey(kind, keyOf({ metadata })), { ...status, conditions });
  }
  return found;
}

/** Times of what goes on all day are not worth a write of their own. */
const idle = new Set(['lastEchoTime']);

/** Whether the status that stands there needs no writing. */
export function says(there: Standing | undefined, wanted: ResourceStatus): boolean {
  if (there === undefined || there['observedGeneration'] !== wanted.observedGeneration) return false;
  const fields = (from: Readonly<Record<string, unknown>>): string =>
    JSON.stringify(
      Object.entries(from)
        .filter(([name]) => !idle.has(name) && name !== 'conditions' && name !== 'observedGeneration')
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  return conditionsOf(there.conditions) === conditionsOf(wanted.conditions) && fields(there) === fields(wanted.fields);
}

function conditionsOf(conditions: ResourceStatus['conditions']): string {
  return JSON.stringify(
    conditions
      .map(({ type, status, reason, message, observedGeneration, lastTransitionTime }) => [
        type,
        status,
        reason,
        message,
        observedGeneration,
        Date.parse(lastTransitionTime),
      ])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  );
}
