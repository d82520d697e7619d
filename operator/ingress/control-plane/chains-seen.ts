/**
 * Which filter chains of a listener a proxy may have built anew, and so which secrets must be pushed to it again: a chain that is
 * equal is kept with its contexts, one that is new or changed asks for its secrets, and so do all when anything of the listener
 * but its chains changed (operator-anchors C.2 c, C.4).
 */
import type { Chain, ListenerParts } from './snapshot.ts';

export interface ChainsSeen {
  /** Listener to what was sent last. */
  readonly sent: Map<string, ListenerParts | undefined>;
  /** Listener to what was acknowledged last: it may still wait for a secret. */
  readonly accepted: Map<string, ListenerParts | undefined>;
  /** Listener to what serves for certain: acknowledged, and all its secrets too. */
  readonly serving: Map<string, ListenerParts>;
  /** Secrets of chains that were tried since and refused. */
  readonly suspects: Set<string>;
}

export function blankChains(): ChainsSeen {
  return { sent: new Map(), accepted: new Map(), serving: new Map(), suspects: new Set() };
}

export function chainsRefused(seen: ChainsSeen, listener: string): void {
  for (const secret of anew(seen, listener) ?? []) seen.suspects.add(secret);
}

/** @returns secrets to push; undefined: all */
export function chainsAccepted(seen: ChainsSeen, listener: string): Iterable<string> | undefined {
  const changed = anew(seen, listener);
  seen.accepted.set(listener, seen.sent.get(listener));
  return changed && new Set([...seen.suspects, ...changed]);
}

/** Nothing more is to be sent. @param holds whether the proxy acknowledged this secret */
export function chainsSettled(seen: ChainsSeen, holds: (secret: string) => boolean): void {
  for (const [listener, parts] of seen.accepted) {
    if (parts === undefined || parts === seen.serving.get(listener)) continue;
    for (const { secrets } of parts.chains.values()) if (!secrets.every(holds)) return;
    seen.serving.set(listener, parts);
    seen.suspects.clear();
  }
}

/** Secrets of the chains in which what was sent differs from what serves; undefined when that is not known or all differ. */
function anew({ sent, serving }: ChainsSeen, listener: string): ReadonlySet<string> | undefined {
  const [next, former] = [sent.get(listener), serving.get(listener)];
  if (next === undefined || former === undefined || next.frame !== former.frame) return undefined;
  const secrets = new Set<string>();
  for (const [name, chain] of next.chains)
    if (!isSame(former.chains.get(name), chain)) for (const secret of chain.secrets) secrets.add(secret);
  return secrets;
}

/** One that did not change is the very same object, as long as one operator runs. */
function isSame(a: Chain | undefined, b: Chain): boolean {
  return a === b || a?.version === b.version;
}
