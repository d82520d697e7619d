/** Of one resource type on one stream: what the proxy holds, and what it is to be sent, kept up name by name. */
import { isShared, listenerName } from '../resources/names.ts';
import type { DeltaResponse } from './messages.ts';
import type { Resource, ResourceType } from './snapshot.ts';

export interface TypeState {
  /** The proxy spoke of this type at all. */
  asked: boolean;
  /** It got an answer, maybe an empty one: without, Envoy would wait 15 s before it goes on. */
  answered: boolean;
  /** For secrets only: listeners and clusters are always all wanted. */
  readonly subscribed: Set<string>;
  /** Name to acknowledged version; '' after a refusal, when nobody knows. */
  readonly held: Map<string, string>;
  /** Versions not to send again: the proxy would refuse them again, for ever. */
  readonly refused: Map<string, { readonly version: string; readonly message: string }>;
  /** Of responses that were refused: each is sent by itself, for the proxy took some of them and says in words alone which. */
  readonly alone: Set<string>;
  /** To send whatever it holds. */
  readonly due: Set<string>;
  pending: DeltaResponse | undefined;
  /** Names to send, by turn. */
  readonly todo: readonly [Set<string>, Set<string>, Set<string>];
  /** Held, and no longer in the snapshot. */
  readonly gone: Set<string>;
  /** In the snapshot, and not held in that version: kept up, for after each of thousands of secrets it is asked whether any is left. */
  readonly missing: Set<string>;
}

type Resources = ReadonlyMap<string, Resource>;

export function blankType(): TypeState {
  return {
    asked: false,
    answered: false,
    subscribed: new Set(),
    held: new Map(),
    refused: new Map(),
    alone: new Set(),
    due: new Set(),
    pending: undefined,
    todo: [new Set(), new Set(), new Set()],
    gone: new Set(),
    missing: new Set(),
  };
}

/**
 * The public listener last: it sends callers to those within, and is of use when they are there.
 * One secret at a time, and in this order, for a refusal stops Envoy in the middle of telling it to the chains that use it, and
 * sending the same bytes again does not make up for it:
 * first what takes the place of something refused, else a shared trust meets it on its way; then trusts; then certificates,
 * each of which completes one chain only, so that what is wrong with it stops no other and is said of it.
 */
function turn(type: ResourceType, name: string, { held: versions }: TypeState): 0 | 1 | 2 {
  if (type === 'listener' && name === listenerName) return 2;
  if (versions.get(name) === '') return 0;
  if (type !== 'secret') return 1;
  return isShared(name) ? 1 : 2;
}

/** After a change of what is known of this name. */
export function consider(own: TypeState, type: ResourceType, name: string, resources: Resources): void {
  for (const names of own.todo) names.delete(name);
  const version = resources.get(name)?.version;
  const former = own.held.get(name);
  if (version === undefined && former !== undefined) own.gone.add(name);
  else own.gone.delete(name);
  if (version === undefined || former === version) own.missing.delete(name);
  else own.missing.add(name);
  if (version === undefined || (type === 'secret' && !own.subscribed.has(name))) return;
  if (own.refused.get(name)?.version === version) return;
  if (former !== version || own.due.has(name)) own.todo[turn(type, name, own)].add(name);
}

/** After a change of the resources: of names whose resource is another object. */
export function review(own: TypeState, type: ResourceType, former: Resources, resources: Resources): void {
  if (former === resources) return;
  for (const [name, resource] of resources) if (former.get(name) !== resource) consider(own, type, name, resources);
  for (const name of former.keys()) if (!resources.has(name)) consider(own, type, name, resources);
}

/** What to send first. */
export function first({ todo }: TypeState): string | undefined {
  for (const names of todo) for (const name of names) return name;
  return undefined;
}

function isTodo({ todo }: TypeState): boolean {
  return todo.some(({ size }) => size > 0);
}

/** Told at once: about a megabyte. The more at once, the longer everything else of an operator, and of a proxy, waits for it. */
const most = 500;

/**
 * What is to be sent next of a type that is sent many at a time.
 * The public listener alone, and not while one that it leads to is refused: what a proxy had before goes on in its place.
 */
export function take(own: TypeState): readonly string[] {
  const [names] = own.todo.filter(({ size }) => size > 0);
  if (names === undefined || !hasNext(own)) return [];
  for (const name of names) if (own.alone.has(name)) return [name];
  return [...names].slice(0, most);
}

/** Whether `take` would give anything. Of listeners the last turn is the public one, missing itself. */
export function hasNext({ todo: [first, second, last], missing }: TypeState): boolean {
  return first.size + second.size > 0 || (last.size > 0 && missing.size <= last.size);
}

/** The proxy acknowledged all of the snapshot, and (but for secrets, which it lets go by itself) holds no others. */
export function held(own: TypeState, type: ResourceType): boolean {
  return !isTodo(own) && own.missing.size === 0 && (type === 'secret' || own.gone.size === 0);
}
