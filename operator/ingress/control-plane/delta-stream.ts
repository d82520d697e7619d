/**
 * The protocol state of one delta-ADS stream: what a proxy asked and acknowledged, and therefore what to send it next
 * (operator-anchors C.1). At most one response per type is in flight, so a slow proxy has no queue: what it gets next is of the
 * latest snapshot. The state belongs to its stream and is changed in place, for an acknowledgement among thousands of secrets
 * must cost the same as one among ten.
 */
import type { DeltaRequest, DeltaResponse } from './messages.ts';
import { type TypeState, blankType, consider, first, hasNext, held, review, take } from './type-state.ts';
import { type ResourceType, type Snapshot, emptySnapshot, resourceTypes } from './snapshot.ts';

/** A response that the proxy refused, of what it should still hold. */
export interface Refusal {
  readonly type: ResourceType;
  readonly names: readonly string[];
  readonly message: string;
}

export interface StreamState extends Readonly<Record<ResourceType, TypeState>> {
  count: number;
  /** What `todo` and `gone` of each type were worked out for. */
  snapshot: Snapshot;
}

export function newStream(): StreamState {
  const [cluster, listener, secret] = [blankType(), blankType(), blankType()];
  return { cluster, listener, secret, count: 0, snapshot: emptySnapshot };
}

/** Takes in what the proxy said. */
export function receive(state: StreamState, request: DeltaRequest, snapshot: Snapshot): Refusal | undefined {
  turnTo(state, snapshot);
  const { type, error } = request;
  const own = state[type];
  const { pending } = own;
  const answers = pending !== undefined && request.nonce === pending.nonce;
  if (answers) judge(state, type, pending, error);
  // Honoured also with a stale nonce (C.1.4).
  subscribe(state, request);
  if (answers && type === 'listener' && error === undefined) feed(state, pending);
  // Of several it is told when each was tried by itself.
  if (!answers || error === undefined || pending.resources.size > 1) return undefined;
  // What was replaced meanwhile is no longer anybody's fault.
  const names = [...pending.resources].flatMap(([name, version]) =>
    snapshot[type].get(name)?.version === version ? [name] : [],
  );
  return names.length === 0 && pending.resources.size > 0 ? undefined : { type, names, message: error };
}

function turnTo(state: StreamState, snapshot: Snapshot): void {
  const former = state.snapshot;
  if (former === snapshot) return;
  state.snapshot = snapshot;
  for (const type of resourceTypes) review(state[type], type, former[type], snapshot[type]);
}

function judge(state: StreamState, type: ResourceType, pending: DeltaResponse, error: string | undefined): void {
  const own = state[type];
  own.pending = undefined;
  for (const [name, version] of pending.resources) {
    own.held.set(name, error === undefined ? version : '');
    if (error === undefined || pending.resources.size === 1) own.alone.delete(name);
    else own.alone.add(name);
    if (error === undefined) own.refused.delete(name);
    else if (pending.resources.size === 1) own.refused.set(name, { version, message: error });
    consider(own, type, name, state.snapshot[type]);
  }
  for (const name of pending.removed) {
    own.held.delete(name);
    consider(own, type, name, state.snapshot[type]);
  }
}

/** A listener that is new or changed may be a new provider of a secret already watched: only a push feeds it (C.2 c). */
function feed({ secret, snapshot }: StreamState, { resources }: DeltaResponse): void {
  for (const name of resources.keys())
    for (const fed of snapshot.listener.get(name)?.secrets ?? []) {
      secret.due.add(fed);
      consider(secret, 'secret', fed, snapshot.secret);
    }
}

function subscribe(state: StreamState, request: DeltaRequest): void {
  const { type } = request;
  const own = state[type];
  const named = type === 'secret';
  const resources = state.snapshot[type];
  // A secret is sent again on a new stream whatever the proxy says it holds (C.2 c).
  if (!named && !own.asked)
    for (const [name, version] of request.initialVersions) {
      own.held.set(name, version);
      consider(own, type, name, resources);
    }
  own.asked = true;
  for (const name of request.subscribe) {
    own.subscribed.add(name);
    own.due.add(name);
    consider(own, type, name, resources);
  }
  for (const name of request.unsubscribe) {
    own.subscribed.delete(name);
    own.due.delete(name);
    if (named) own.held.delete(name);
    consider(own, type, name, resources);
  }
}

/** What to send now. Additions first and in order, removals when nothing refers to them any more. */
export function advance(state: StreamState, snapshot: Snapshot): readonly DeltaResponse[] {
  turnTo(state, snapshot);
  const responses: DeltaResponse[] = [];
  for (const type of resourceTypes) {
    const response = nextOf(type, state);
    if (response === undefined) continue;
    const own = state[type];
    responses.push(response);
    state.count += 1;
    own.answered = true;
    own.pending = response;
    for (const name of response.resources.keys()) {
      own.due.delete(name);
      consider(own, type, name, snapshot[type]);
    }
  }
  return responses;
}

function nextOf(type: ResourceType, state: StreamState): DeltaResponse | undefined {
  const own = state[type];
  if (!own.asked || own.pending !== undefined) return undefined;
  const nonce = String(state.count + 1);
  const versionOf = (name: string): string => state.snapshot[type].get(name)?.version ?? '';
  if (type === 'secret') {
    // Listeners first: one that is on its way out may still hold what was wrong with a secret. But before them what takes its place: one
    // that comes again would meet it in the one that goes, which keeps it while it drains, and be refused for it.
    const waits = !mends(state) && (isUnderWay('cluster', state) || isUnderWay('listener', state));
    const next = waits ? undefined : first(own);
    if (next === undefined) return undefined;
    return { type, nonce, resources: new Map([[next, versionOf(next)]]), removed: [] };
  }
  if (type === 'listener' && (isUnderWay('cluster', state) || mends(state))) return undefined;
  const removed = type === 'listener' || listenersAt(state) ? [...own.gone] : [];
  const names = take(own);
  if (names.length === 0 && removed.length === 0 && own.answered) return undefined;
  return { type, nonce, resources: new Map(names.map((name) => [name, versionOf(name)])), removed };
}

function isUnderWay(type: ResourceType, state: StreamState): boolean {
  const own = state[type];
  return !own.asked || own.pending !== undefined || hasNext(own);
}

/** A secret takes the place of one that was refused. */
function mends({ secret: { pending, todo, held: versions } }: StreamState): boolean {
  return todo[0].size > 0 || [...(pending?.resources.keys() ?? [])].some((name) => versions.get(name) === '');
}

/** The proxy's listeners are those of the snapshot, so no cluster that is missing there is used. */
function listenersAt({ listener }: StreamState): boolean {
  return listener.asked && listener.pending === undefined && held(listener, 'listener');
}

/** The proxy has acknowledged everything, and nothing more is to be sent. */
export function isSettled(state: StreamState, snapshot: Snapshot): boolean {
  turnTo(state, snapshot);
  return resourceTypes.every((type) => {
    const own = state[type];
    return own.pending === undefined && (own.answered || type === 'secret') && held(own, type);
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
export function forgive(state: StreamState): void {
  for (const type of resourceTypes) {
    const own = state[type];
    const names = [...own.refused.keys()];
    own.refused.clear();
    for (const name of names) consider(own, type, name, state.snapshot[type]);
  }
}
