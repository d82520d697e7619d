/** What is kept up name by name is what a walk over everything would find, whatever a proxy says and whatever comes meanwhile. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type StreamState, forgive, isSettled } from './delta-stream.ts';
import { Script, snapshot } from './script.testing.ts';
import { type ResourceType, type Snapshot, resourceTypes } from './snapshot.ts';
import type { TypeState } from './type-state.ts';

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Walked {
  readonly missing: readonly string[];
  readonly gone: readonly string[];
  readonly todo: readonly string[];
}

function walk(own: TypeState, type: ResourceType, resources: Snapshot[ResourceType]): Walked {
  const entries = [...resources];
  const isWanted = (name: string): boolean => type !== 'secret' || own.subscribed.has(name);
  return {
    missing: entries.flatMap(([name, { version }]) => (own.held.get(name) === version ? [] : [name])).toSorted(),
    gone: [...own.held.keys()].filter((name) => !resources.has(name)).toSorted(),
    todo: entries
      .filter(([name]) => isWanted(name))
      .filter(([name, { version }]) => own.refused.get(name)?.version !== version)
      .flatMap(([name, { version }]) => (own.held.get(name) !== version || own.due.has(name) ? [name] : []))
      .toSorted(),
  };
}

function kept({ missing, gone, todo }: TypeState): Walked {
  return {
    missing: [...missing].toSorted(),
    gone: [...gone].toSorted(),
    todo: todo.flatMap((names) => [...names]).toSorted(),
  };
}

function check(state: StreamState, now: Snapshot, what: string): void {
  const settled = isSettled(state, now); // turns to this snapshot
  const walks = resourceTypes.map((type) => walk(state[type], type, now[type]));
  for (const [index, type] of resourceTypes.entries())
    assert.equal(kept(state[type]), walks[index], `${what}: ${type}`);
  const isDone = (type: ResourceType, { missing, gone, todo }: Walked): boolean =>
    state[type].pending === undefined &&
    missing.length + todo.length === 0 &&
    (type === 'secret' || (gone.length === 0 && state[type].answered));
  assert.is(
    settled,
    resourceTypes.every((type, index) => isDone(type, walks[index] ?? kept(state[type]))),
    `${what}: settled`,
  );
}

const names = ['a', 'b', 'c', 'd', 'e'];
const secrets = [...names.map((name) => `certificate/${name}`), 'trust/t', 'trust/u'];

for (let seed = 1; seed <= 60; seed += 1)
  test(`what is kept up is what a walk finds, sequence ${seed}`, () => {
    const random = numbers(seed);
    const some = (all: readonly string[]): readonly string[] => all.filter(() => random() < 0.6);
    const made = (all: readonly string[]): Readonly<Record<string, string>> =>
      Object.fromEntries(some(all).map((name) => [name, String(Math.ceil(random() * 3))]));
    const world = (): Snapshot => {
      const fresh = snapshot({
        cluster: made(names),
        listener: random() < 0.8 ? { ...made(names.map((name) => `host/${name}`)), ingress: '1' } : {},
        secret: made(secrets),
      });
      // As it is in earnest: what did not change is the very same object.
      return random() < 0.5 ? { ...script.now, secret: fresh.secret } : fresh;
    };
    const script: Script = new Script(snapshot({ cluster: made(names), secret: made(secrets) }));
    const pending: [ResourceType, string][] = [];
    const take = (sent: readonly string[]): void => {
      for (const [type, nonce] of sent.map((one) => one.split(/[: ]/)) as [ResourceType, string][])
        pending.push([type, nonce]);
    };
    const answer = (refuse: boolean): void => {
      const [next] = pending.splice(Math.floor(random() * pending.length), 1);
      if (next !== undefined) take(script.says(next[0], next[1], refuse ? { error: 'no' } : {}));
    };
    const steps: (() => void)[] = [
      () => take(script.becomes(world())),
      () => {
        answer(false);
      },
      () => {
        answer(true);
      },
      () => take(script.says('secret', '', { subscribe: some(secrets), unsubscribe: some(secrets.slice(0, 2)) })),
      () => take(script.says('cluster', '', { initialVersions: new Map(Object.entries(made(names))) })),
      () => take(script.says('listener')),
      () => {
        forgive(script.state);
        take(script.sends());
      },
    ];
    for (let step = 0; step < 60; step += 1) {
      steps[Math.floor(random() * steps.length)]?.();
      check(script.state, script.now, `step ${step}`);
    }
    // In the end a proxy that takes everything holds everything.
    forgive(script.state);
    take(script.says('cluster'));
    take(script.says('listener'));
    take(script.says('secret', '', { subscribe: secrets }));
    for (let left = 0; left < 1000 && pending.length > 0; left += 1) answer(false);
    check(script.state, script.now, 'the end');
    assert.ok(isSettled(script.state, script.now));
  });

test.run();
