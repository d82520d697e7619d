/**
 * What one link gets wrong must not reach the others. A proxy refuses what it is sent together as one, in words that are not for
 * programs; so changes are tried together, and when they are refused, in halves, until what is refused stands alone. That one keeps
 * what the proxy took before (or is not served), and says why. Pure.
 */
import type { ClientTrust, IngressHost, IngressPlan } from '../plan/ingress-plan.ts';
import { atOnce, overAll } from '../turns.ts';
import { isEqual } from './equal.ts';
import type { Refusal } from './control-plane/delta-stream.ts';
import { listenerName, seriesName, trustName } from './resources/names.ts';

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

/** A new state in steps, for it is thousands of links that are looked at; the former one stays as it is. */
export type Steps<T> = Generator<undefined, T, undefined>;

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
  const units = atOnce(unitsOf(plan));
  return { ...emptyQuarantine, target: units, accepted: units };
}

/** What others refer to comes first: it is tried, and split, in this order. */
function* unitsOf({ hosts, trusts, internal }: IngressPlan): Steps<Units> {
  const units = new Map<string, Unit>([[internalKey, { kind: 'internal', internal }]]);
  for (const trust of trusts) units.set(trustKey(trust.name), { kind: 'trust', trust });
  const links = new Map<string, IngressHost[]>();
  const put = (host: IngressHost): void => {
    const own = links.get(host.link);
    if (own === undefined) links.set(host.link, [host]);
    else own.push(host);
  };
  yield* overAll(hosts, put);
  for (const [link, own] of links) units.set(linkKey(link), { kind: 'link', hosts: own });
  return units;
}

/** Equal to what was known before: the very same object, so that whoever comes after compares, and encodes, nothing twice. */
function* kept(state: Quarantine, wanted: Units): Steps<Units> {
  const formers = (key: string): readonly (Unit | undefined)[] => [
    state.target.get(key),
    state.accepted.get(key),
    state.rejected.get(key)?.unit,
  ];
  const units = new Map<string, Unit>();
  yield* overAll(wanted, ([key, unit]) => void units.set(key, keep(unit, formers(key))));
  return units;
}

function keep(unit: Unit, formers: readonly (Unit | undefined)[]): Unit {
  const equal = formers.find((former) => former !== undefined && isEqual(former, unit));
  if (equal !== undefined) return equal;
  if (unit.kind !== 'link') return unit;
  const hosts = formers.flatMap((former) => (former?.kind === 'link' ? former.hosts : []));
  return { ...unit, hosts: unit.hosts.map((host) => hosts.find((former) => isEqual(former, host)) ?? host) };
}

/** A new plan: what changed is tried at once, what was refused and did not change is not. */
export function* propose(state: Quarantine, plan: IngressPlan): Steps<Quarantine> {
  const target = yield* kept(state, yield* unitsOf(plan));
  yield undefined;
  const rejected = new Map([...state.rejected].filter(([key, { unit }]) => same(unit, target.get(key))));
  const accepted = new Map([...state.accepted].filter(([key, unit]) => unit.kind !== 'link' || target.has(key)));
  const needed = new Set<string>();
  for (const unit of accepted.values())
    if (unit.kind === 'link') for (const host of unit.hosts) if (host.kind === 'db') needed.add(host.trust);
  for (const [key, unit] of accepted)
    if (unit.kind === 'trust' && !target.has(key) && !needed.has(unit.trust.name)) accepted.delete(key);
  yield undefined;
  const trial = [...target.keys()].filter((key) => !rejected.has(key) && !same(accepted.get(key), target.get(key)));
  return { target, accepted, trial, queue: [], rejected };
}

/** The plan to publish now: what was accepted, with what is tried in its place. */
export function* current({ target, accepted, trial }: Quarantine): Steps<IngressPlan | undefined> {
  const units = new Map(accepted);
  for (const key of trial) {
    const unit = target.get(key);
    if (unit !== undefined) units.set(key, unit);
  }
  const internal = units.get(internalKey) ?? target.get(internalKey);
  if (internal?.kind !== 'internal') return undefined; // no plan yet
  const trusts = [...units.values()].flatMap((unit) => (unit.kind === 'trust' ? [unit.trust] : []));
  const believed = new Set(trusts.map(({ name }) => name));
  yield undefined;
  // A name that moved from one link to another is the new owner's: what is wanted overwrites what was kept.
  const hosts = new Map<string, IngressHost>();
  const put = (unit: Unit): void => {
    for (const host of unit.kind === 'link' ? unit.hosts : [])
      if (host.kind === 'vi' || believed.has(host.trust)) hosts.set(host.fqdn, host);
  };
  const isWanted = ([key, unit]: readonly [string, Unit]): boolean => same(unit, target.get(key));
  yield* overAll(units, (one) => void (isWanted(one) || put(one[1])));
  yield* overAll(units, (one) => void (isWanted(one) && put(one[1])));
  const used = new Set<string>();
  yield* overAll(hosts.values(), (host) => void (host.kind === 'db' && used.add(host.trust)));
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
  const whole = atOnce(current(state));
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

/** The proxies hold the current plan: what was tried is accepted, and the next is tried. The same state when nothing was. */
export function passed(state: Quarantine): Quarantine {
  if (state.trial.length + state.queue.length === 0) return state;
  const accepted = new Map(state.accepted);
  for (const key of state.trial) {
    const unit = state.target.get(key);
    if (unit !== undefined) accepted.set(key, unit);
  }
  return next({ ...state, accepted });
}

/** A proxy refused the current plan. The same state when nothing was on trial, or no link's doing: the fault is the proxy's own. */
export function refused(state: Quarantine, refusal: Refusal): Quarantine {
  if (state.trial.length === 0 || isNobodys(refusal)) return state;
  const blamed = blame(state, refusal);
  const guilty = new Set(blamed);
  const innocent = state.trial.filter((key) => !guilty.has(key));
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

/** The public listener knows no link: e.g. its port is taken. */
function isNobodys({ type, names }: Refusal): boolean {
  return type === 'listener' && names.length === 1 && names[0] === listenerName;
}

/** Who in the trial may have caused it: what is refused names its owner, and where nobody is named, it may be anybody. */
function blame({ target, trial }: Quarantine, { type, names }: Refusal): readonly string[] {
  const named = new Set(names.map((name) => seriesName(name.slice(name.indexOf('/') + 1))));
  const owners = trial.filter((key) => {
    const unit = target.get(key);
    if (unit?.kind === 'link') return unit.hosts.some(({ fqdn }) => named.has(seriesName(fqdn)));
    return unit?.kind === 'trust' && names.includes(trustName(unit.trust.name));
  });
  // An internal identity is in every cluster: then each is to be tried apart from it.
  return owners.length === 0 || (type === 'cluster' && trial.includes(internalKey)) ? trial : owners;
}

function trustsOf(hosts: readonly IngressHost[]): readonly string[] {
  return hosts.flatMap((host) => (host.kind === 'db' ? [host.trust] : []));
}

/** Equal ones are one object: see `kept`. */
function same(a: Unit | undefined, b: Unit | undefined): boolean {
  return a === b;
}

export interface Verdict {
  readonly accepted: boolean;
  /** The proxy's words. */
  readonly refusal?: string;
}

/** Per link: accepted, refused (also what it depends on), or not yet known. @returns what tells it, for one state and many links */
export function verdicts(state: Quarantine): (link: string) => Verdict {
  const known = new Map<string, Verdict>();
  const ofUnit = (key: string): Verdict => {
    const unit = state.target.get(key);
    const refusal = state.rejected.get(key)?.message;
    const accepted = unit !== undefined && same(state.accepted.get(key), unit);
    return accepted && refusal === undefined ? passing : { accepted, ...(refusal !== undefined && { refusal }) };
  };
  /** Many links share a trust. */
  const ofTrust = (trust: string): Verdict => {
    const verdict = known.get(trust) ?? ofUnit(trustKey(trust));
    known.set(trust, verdict);
    return verdict;
  };
  const ofInternal = ofUnit(internalKey);
  return (link) => {
    const key = linkKey(link);
    const unit = state.target.get(key);
    let verdict = ofUnit(key);
    for (const host of unit?.kind === 'link' ? unit.hosts : [])
      if (host.kind === 'db') verdict = both(verdict, ofTrust(host.trust));
    return both(verdict, ofInternal);
  };
}

const passing: Verdict = { accepted: true };

/** What was said first stands. */
function both(a: Verdict, b: Verdict): Verdict {
  if (b === passing || a === b) return a;
  if (a === passing) return b;
  const refusal = a.refusal ?? b.refusal;
  return { accepted: a.accepted && b.accepted, ...(refusal !== undefined && { refusal }) };
}

/** Whether anything of this link is served as accepted before. */
export function isServed(state: Quarantine, link: string): boolean {
  return state.accepted.has(linkKey(link));
}
