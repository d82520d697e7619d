/** What stands in the cluster of the statuses of our resources, and whether it says what it should. */
import type { ResourceStatus } from '../../plan/status.ts';
import type { LinkObject, SiteObject, TrustSpaceObject, Watches } from './watches.ts';

export type Standing = Pick<ResourceStatus, 'conditions'> & Readonly<Record<string, unknown>>;

/** The same object for each resource without a status. */
const nothing: Standing = { conditions: [] };
/** Statuses that somebody else wrote in part, as if they were whole. */
const completed = new WeakMap<object, Standing>();

/** By {@link statusKey}: what stands there, the same object as long as the status is. */
export function standing({ trustSpaces, sites, links }: Watches): (key: string) => Standing | undefined {
  const stores: Readonly<
    Record<string, (key: string) => Pick<SiteObject | LinkObject | TrustSpaceObject, 'status'> | undefined>
  > = {
    TrustSpace: (key) => trustSpaces.store.get(key),
    DrimboxSite: (key) => sites.store.get(key),
    PacsLink: (key) => links.store.get(key),
  };
  return (key) => {
    const space = key.indexOf(' ');
    const resource = stores[key.slice(0, space)]?.(key.slice(space + 1));
    if (resource === undefined) return undefined;
    const { status } = resource;
    if (status === undefined) return nothing;
    return isWhole(status) ? status : complete(status);
  };
}

type Told = NonNullable<(SiteObject | LinkObject | TrustSpaceObject)['status']>;

function isWhole(status: Told): status is Told & Standing {
  return status.conditions?.every(({ observedGeneration }) => observedGeneration !== undefined) ?? false;
}

function complete(status: Told): Standing {
  const known = completed.get(status);
  if (known !== undefined) return known;
  const conditions = (status.conditions ?? []).map((one) => ({ observedGeneration: 0, ...one }));
  const whole = { ...status, conditions };
  completed.set(status, whole);
  return whole;
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
