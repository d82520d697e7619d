/**
 * What one link gets wrong must not reach the others. All links share one listener, and a proxy refuses it whole; so changes are
 * tried together, and when they are refused, in halves, until what is refused stands alone. That one keeps what the proxy took
 * before (or is not served), and says why. Pure.
 */
import type { ClientTrust, IngressHost, IngressPlan } from '../plan/ingress-plan.ts';
import { isEqual } from './equal.ts';
import type { Refusal } from './control-plane/delta-stream.ts';

/** What is tried, taken or refused as one. */
type Unit =
  | { readonly kind: 'internal'; readonly internal: IngressPlan['internal'] }
  | { readonly kind: 'trust'; readonly trust: ClientTrust }
  | { readonly kind: 'link'; readonly hosts: readonly IngressHost[] };

type Units = ReadonlyMap<string, Unit>;

export interface Quarantine {
  /** What the operator wants. */
  readonly target: Units;
  /** What a proxy took. */
  readonly accepted: Units;
  /** Under trial now, keys of `target`. */
  readonly trial: readonly string[];
  /** To be tried after. */
  readonly queue: readonly (readonly string[])[];
  readonly rejected: ReadonlyMap<string, { readonly unit: Unit; readonly message: string }>;
}

export const emptyQuarantine: Quarantine = {
  target: new Map(),
  accepted: new Map(),
  trial: [],
  queue: [],
  rejected: new Map(),
};

const internalKey = 'internal';
const trustKey = (name: string): string => `trust ${name}`;
const linkKey = (name: string): string => `link ${name}`;

/** As after this plan was taken: what the proxies hold when the operator comes back. */
export function restored(plan: IngressPlan): Quarantine {
  const units = unitsOf(plan);
  return { ...emptyQuarantine, target: units, accepted: units };
}

/** What others refer to comes first: it is tried, and split, in this order. */
function unitsOf({ hosts, trusts, internal }: IngressPlan): Units {
  const links = Map.groupBy(hosts, ({ link }) => link);
  return new Map<string, Unit>([
    [internalKey, { kind: 'internal', internal }],
    ...trusts.map((trust): [string, Unit] => [trustKey(trust.name), { kind: 'trust', trust }]),
    ...[...links].map(([link, own]): [string, Unit] => [linkKey(link), { kind: 'link', hosts: own }]),
  ]);
}

/** Equal to what was known before: the very same object, so that whoever comes after compares, and encodes, nothing twice. */
function kept(state: Quarantine, wanted: Units): Units {
  const formers = (key: string): readonly (Unit | undefined)[] => [
    state.target.get(key),
    state.accepted.get(key),
    state.rejected.get(key)?.unit,
  ];
  return new Map([...wanted].map(([key, unit]) => [key, keep(unit, formers(key))]));
}

function keep(unit: Unit, formers: readonly (Unit | undefined)[]): Unit {
  const equal = formers.find((former) => former !== undefined && isEqual(former, unit));
  if (equal !== undefined) return equal;
  if (unit.kind !== 'link') return unit;
  const hosts = formers.flatMap((former) => (former?.kind === 'link' ? former.hosts : []));
  return { ...unit, hosts: unit.hosts.map((host) => hosts.find((former) => isEqual(former, host)) ?? host) };
}

/** A new plan: what changed is tried at once, what was refused and did not change is not. */
export function propose(state: Quarantine, plan: IngressPlan): Quarantine {
  const target = kept(state, unitsOf(plan));
  const rejected = new Map([...state.rejected].filter(([key, { unit }]) => same(unit, target.get(key))));
  const accepted = new Map([...state.accepted].filter(([key, unit]) => unit.kind !== 'link' || target.has(key)));
  const needed = new Set([...accepted.values()].flatMap((unit) => (unit.kind === 'link' ? trustsOf(unit.hosts) : [])));
  for (const [key, unit] of accepted)
    if (unit.kind === 'trust' && !target.has(key) && !needed.has(unit.trust.name)) accepted.delete(key);
  const trial = [...target.keys()].filter((key) => !rejected.has(key) && !same(accepted.get(key), target.get(key)));
  return { target, accepted, trial, queue: [], rejected };
}

/** The plan to publish now: what was accepted, with what is tried in its place. */
export function current({ target, accepted, trial }: Quarantine): IngressPlan | undefined {
  const units = new Map(accepted);
  for (const key of trial) {
    const unit = target.get(key);
    if (unit !== undefined) units.set(key, unit);
  }
  const internal = units.get(internalKey) ?? target.get(internalKey);
  if (internal?.kind !== 'internal') return undefined; // no plan yet
  const trusts = [...units.values()].flatMap((unit) => (unit.kind === 'trust' ? [unit.trust] : []));
  const believed = new Set(trusts.map(({ name }) => name));
  // A name that moved from one link to another is the new owner's: what is wanted overwrites what was kept.
  const links = [...units].filter(([, unit]) => unit.kind === 'link');
  const former = links.filter(([key, unit]) => !same(unit, target.get(key)));
  const wanted = links.filter(([key, unit]) => same(unit, target.get(key)));
  const hosts = new Map<string, IngressHost>();
  for (const [, unit] of [...former, ...wanted])
    for (const host of unit.kind === 'link' ? unit.hosts : [])
      if (host.kind === 'vi' || believed.has(host.trust)) hosts.set(host.fqdn, host);
  const used = new Set(trustsOf([...hosts.values()]));
  return {
    hosts: [...hosts.values()].toSorted((a, b) => (a.fqdn < b.fqdn ? -1 : 1)),
    trusts: trusts.filter(({ name }) => used.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    internal: internal.internal,
  };
}

/**
 * Of the current plan, what is tried and what that needs: enough to ask whether a proxy would take it. A trust or an internal
 * identity alone is asked about with one host that uses it. Undefined when nothing of the trial would be served.
 */
export function onTrial(state: Quarantine): IngressPlan | undefined {
  const whole = current(state);
  if (whole === undefined) return undefined;
  const trial = new Set(state.trial);
  const hosts = whole.hosts.filter(({ link }) => trial.has(linkKey(link)));
  for (const { name } of whole.trusts.filter((trust) => trial.has(trustKey(trust.name)))) {
    const user = whole.hosts.find((host) => host.kind === 'db' && host.trust === name);
    if (user !== undefined && !hosts.some((host) => host.kind === 'db' && host.trust === name)) hosts.push(user);
  }
  const [any] = whole.hosts;
  if (hosts.length === 0 && any !== undefined && trial.has(internalKey)) hosts.push(any);
  const used = new Set(trustsOf(hosts));
  return hosts.length === 0
    ? undefined
    : { ...whole, hosts, trusts: whole.trusts.filter(({ name }) => used.has(name)) };
}

/** The proxies hold the current plan: what was tried is accepted, and the next is tried. */
export function passed(state: Quarantine): Quarantine {
  const accepted = new Map(state.accepted);
  for (const key of state.trial) {
    const unit = state.target.get(key);
    if (unit !== undefined) accepted.set(key, unit);
  }
  return next({ ...state, accepted });
}

/** A proxy refused the current plan. The same state when nothing was on trial: then the fault is the proxy's own. */
export function refused(state: Quarantine, refusal: Refusal): Quarantine {
  if (state.trial.length === 0) return state;
  const blamed = blame(state, refusal);
  const innocent = state.trial.filter((key) => !blamed.includes(key));
  const rest = innocent.length > 0 ? [innocent] : [];
  const [only] = blamed;
  if (only !== undefined && blamed.length === 1) {
    const unit = state.target.get(only);
    const rejected = new Map(state.rejected);
    if (unit !== undefined) rejected.set(only, { unit, message: refusal.message });
    return next({ ...state, rejected, queue: [...rest, ...state.queue] });
  }
  const half = Math.ceil(blamed.length / 2);
  return next({ ...state, queue: [...rest, blamed.slice(0, half), blamed.slice(half), ...state.queue] });
}

/** Everything that was refused is tried again. */
export function retried(state: Quarantine): Quarantine {
  if (state.rejected.size === 0) return state;
  const again = [...state.target.keys()].filter((key) => state.rejected.has(key));
  const queue = [...state.queue, again];
  const cleared = { ...state, rejected: new Map(), queue };
  return state.trial.length === 0 ? next(cleared) : cleared;
}

function next(state: Quarantine): Quarantine {
  const [trial = [], ...queue] = state.queue;
  return { ...state, trial, queue };
}

/** Who in the trial may have caused it: a cluster or secret names its owner, a listener is everybody's. */
function blame({ target, trial }: Quarantine, { type, names }: Refusal): readonly string[] {
  if (type === 'listener') return trial;
  const named = new Set(names.map((name) => name.slice(name.indexOf('/') + 1)));
  const owners = trial.filter((key) => {
    const unit = target.get(key);
    if (unit?.kind === 'link') return unit.hosts.some(({ fqdn }) => named.has(fqdn));
    return unit?.kind === 'trust' && names.includes(`trust/${unit.trust.name}`);
  });
  // An internal identity is in every cluster: then each is to be tried apart from it.
  return owners.length === 0 || (type === 'cluster' && trial.includes(internalKey)) ? trial : owners;
}

function trustsOf(hosts: readonly IngressHost[]): string[] {
  return hosts.flatMap((host) => (host.kind === 'db' ? [host.trust] : []));
}

/** Equal ones are one object: see `kept`. */
function same(a: Unit | undefined, b: Unit | undefined): boolean {
  return a === b;
}

/** Per link: accepted, refused with the proxy's words (also of what it depends on), or not yet known. */
export function verdictOf(state: Quarantine, link: string): { readonly accepted: boolean; readonly refusal?: string } {
  const key = linkKey(link);
  const unit = state.target.get(key);
  const hosts = unit?.kind === 'link' ? unit.hosts : [];
  const needs = [key, ...trustsOf(hosts).map(trustKey), internalKey];
  const refusal = needs.map((need) => state.rejected.get(need)?.message).find((message) => message !== undefined);
  const accepted = needs.every((need) => same(state.accepted.get(need), state.target.get(need)));
  return { accepted, ...(refusal !== undefined && { refusal }) };
}

/** Whether anything of this link is served as accepted before. */
export function isServed(state: Quarantine, link: string): boolean {
  return state.accepted.has(linkKey(link));
}
