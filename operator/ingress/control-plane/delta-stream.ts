/**
 * The protocol state of one delta-ADS stream, pure: what a proxy asked and acknowledged, and therefore what to send it next
 * (operator-anchors C.1). At most one response per type is in flight.
 */
import { isShared } from '../resources/names.ts';
import { type ResourceType, type Snapshot, resourceTypes } from './snapshot.ts';

export interface DeltaRequest {
  readonly type: ResourceType;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the proxy holds when it connects again: name to version. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** Of the response it answers; '' when it answers none. */
  readonly nonce: string;
  /** Present: refused, in the proxy's words. Nothing else says so (C.1.2). */
  readonly error?: string;
}

export interface DeltaResponse {
  readonly type: ResourceType;
  readonly nonce: string;
  /** Name to version; the bytes are in the snapshot. */
  readonly resources: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/** A response that the proxy refused, of what it should still hold. */
export interface Refusal {
  readonly type: ResourceType;
  readonly names: readonly string[];
  readonly message: string;
}

interface TypeState {
  /** The proxy spoke of this type at all. */
  readonly asked: boolean;
  /** It got an answer, maybe an empty one: without, Envoy would wait 15 s before it goes on. */
  readonly answered: boolean;
  /** For secrets only: listeners and clusters are always all wanted. */
  readonly subscribed: ReadonlySet<string>;
  /** Name to acknowledged version; '' after a refusal, when nobody knows. */
  readonly held: ReadonlyMap<string, string>;
  /** Versions not to send again: the proxy would refuse them again, for ever. */
  readonly refused: ReadonlyMap<string, { readonly version: string; readonly message: string }>;
  /** To send whatever it holds. */
  readonly due: ReadonlySet<string>;
  readonly pending?: DeltaResponse;
}

export interface StreamState extends Readonly<Record<ResourceType, TypeState>> {
  readonly count: number;
}

const fresh: TypeState = {
  asked: false,
  answered: false,
  subscribed: new Set(),
  held: new Map(),
  refused: new Map(),
  due: new Set(),
};

export const newStream: StreamState = { cluster: fresh, listener: fresh, secret: fresh, count: 0 };

/** Takes in what the proxy said. */
export function receive(
  state: StreamState,
  request: DeltaRequest,
  snapshot: Snapshot,
): { readonly state: StreamState; readonly refusal?: Refusal } {
  const { type } = request;
  const before = state[type];
  const { pending } = before;
  const answers = pending !== undefined && request.nonce === pending.nonce;
  const judged = answers ? judge(before, pending, request.error) : before;
  // Honoured also with a stale nonce (C.1.4).
  const after = subscribe(judged, request);
  const next = { ...state, [type]: after };
  // A listener that changed may have new providers of secrets already watched: only a push feeds them (C.2 c).
  if (answers && type === 'listener' && request.error === undefined)
    return { state: { ...next, secret: { ...next.secret, due: next.secret.subscribed } } };
  if (!answers || request.error === undefined) return { state: next };
  // What was replaced meanwhile is no longer anybody's fault.
  const names = [...pending.resources].flatMap(([name, version]) =>
    snapshot[type].get(name)?.version === version ? [name] : [],
  );
  return names.length === 0 && pending.resources.size > 0
    ? { state: next }
    : { state: next, refusal: { type, names, message: request.error } };
}

function judge(before: TypeState, pending: DeltaResponse, error: string | undefined): TypeState {
  const { pending: _, ...rest } = before;
  const held = new Map(before.held);
  const refused = new Map(before.refused);
  for (const [name, version] of pending.resources) {
    held.set(name, error === undefined ? version : '');
    if (error === undefined) refused.delete(name);
    else refused.set(name, { version, message: error });
  }
  for (const name of pending.removed) held.delete(name);
  return { ...rest, held, refused };
}

function subscribe(before: TypeState, request: DeltaRequest): TypeState {
  const named = request.type === 'secret';
  const subscribed = new Set(before.subscribed);
  const due = new Set(before.due);
  const held = new Map(before.held);
  // A secret is sent again on a new stream whatever the proxy says it holds (C.2 c).
  if (!named && !before.asked) for (const [name, version] of request.initialVersions) held.set(name, version);
  for (const name of request.subscribe) {
    subscribed.add(name);
    due.add(name);
  }
  for (const name of request.unsubscribe) {
    subscribed.delete(name);
    due.delete(name);
    if (named) held.delete(name);
  }
  return { ...before, asked: true, subscribed, due, held };
}

/** What to send now. Additions first and in order, removals when nothing refers to them any more. */
export function advance(
  state: StreamState,
  snapshot: Snapshot,
): { readonly state: StreamState; readonly responses: readonly DeltaResponse[] } {
  const responses: DeltaResponse[] = [];
  const next: { state: StreamState } = { state };
  for (const type of resourceTypes) {
    const response = nextOf(type, next.state, snapshot);
    if (response === undefined) continue;
    const before = next.state[type];
    const due = new Set([...before.due].filter((name) => !response.resources.has(name)));
    responses.push(response);
    next.state = {
      ...next.state,
      count: next.state.count + 1,
      [type]: { ...before, answered: true, due, pending: response },
    };
  }
  return { state: next.state, responses };
}

function nextOf(type: ResourceType, state: StreamState, snapshot: Snapshot): DeltaResponse | undefined {
  const own = state[type];
  if (!own.asked || own.pending !== undefined) return undefined;
  const wanted = changes(type, own, snapshot);
  const nonce = String(state.count + 1);
  if (type === 'secret') {
    // The listener first: one that is on its way out may still hold what was wrong with a secret.
    if (listenersUnderWay(state, snapshot)) return undefined;
    const first = wanted.toSorted(([a], [b]) => turn(a, own) - turn(b, own))[0];
    return first === undefined ? undefined : { type, nonce, resources: new Map([first]), removed: [] };
  }
  if (type === 'listener' && clustersUnderWay(state, snapshot)) return undefined;
  const gone = [...own.held.keys()].filter((name) => !snapshot[type].has(name));
  const removed = type === 'listener' || listenersAt(state, snapshot) ? gone : [];
  if (wanted.length === 0 && removed.length === 0 && own.answered) return undefined;
  return { type, nonce, resources: new Map(wanted), removed };
}

/**
 * One secret at a time, and in this order, for a refusal stops Envoy in the middle of telling it to the chains that use it, and
 * sending the same bytes again does not make up for it:
 * first what takes the place of something refused, else a shared trust meets it on its way; then trusts; then certificates,
 * each of which completes one chain only, so that what is wrong with it stops no other and is said of it.
 */
function turn(name: string, { held }: TypeState): number {
  if (held.get(name) === '') return 0;
  return isShared(name) ? 1 : 2;
}

/** Names with the version to send. */
function changes(type: ResourceType, own: TypeState, snapshot: Snapshot): (readonly [string, string])[] {
  return [...snapshot[type]].flatMap(([name, { version }]) => {
    if (type === 'secret' && !own.subscribed.has(name)) return [];
    if (own.refused.get(name)?.version === version) return [];
    return own.held.get(name) !== version || own.due.has(name) ? [[name, version] as const] : [];
  });
}

function clustersUnderWay({ cluster }: StreamState, snapshot: Snapshot): boolean {
  return !cluster.asked || cluster.pending !== undefined || changes('cluster', cluster, snapshot).length > 0;
}

function listenersUnderWay(state: StreamState, snapshot: Snapshot): boolean {
  const { listener } = state;
  return (
    clustersUnderWay(state, snapshot) ||
    listener.pending !== undefined ||
    changes('listener', listener, snapshot).length > 0
  );
}

/** The proxy's listeners are those of the snapshot, so no cluster that is missing there is used. */
function listenersAt({ listener }: StreamState, snapshot: Snapshot): boolean {
  return listener.asked && listener.pending === undefined && holdsAll('listener', listener, snapshot);
}

function holdsAll(type: ResourceType, own: TypeState, snapshot: Snapshot): boolean {
  const wanted = snapshot[type];
  const all = [...wanted].every(([name, { version }]) => own.held.get(name) === version);
  return all && (type === 'secret' || [...own.held.keys()].every((name) => wanted.has(name)));
}

/** The proxy has acknowledged everything, and nothing more is to be sent. */
export function isSettled(state: StreamState, snapshot: Snapshot): boolean {
  return resourceTypes.every((type) => {
    const own = state[type];
    return own.pending === undefined && (own.answered || type === 'secret') && holdsAll(type, own, snapshot);
  });
}

/** What is wanted again although the proxy refused exactly this: it is not sent, so nothing would be heard of it. */
export function standingRefusal(state: StreamState, snapshot: Snapshot): Refusal | undefined {
  for (const type of resourceTypes)
    for (const [name, { version, message }] of state[type].refused)
      if (snapshot[type].get(name)?.version === version) return { type, names: [name], message };
  return undefined;
}

/** Lets refused versions be sent again: the reason may be gone, e.g. a port that was taken. */
export function forgiven(state: StreamState): StreamState {
  const all = resourceTypes.map((type) => [type, { ...state[type], refused: new Map() }]);
  return { ...state, ...(Object.fromEntries(all) as Record<ResourceType, TypeState>) };
}
