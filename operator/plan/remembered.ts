/**
 * Work done again only when what it was made from changed. Inputs are compared by identity: whoever observes hands on the same
 * object as long as nothing about it changed, and a round over a thousand sites costs what one changed site costs.
 */
import { oneText } from '../resources/sharing.ts';

export interface Remembered {
  /** The former result when `inputs` are, one by one, the very same values as then. */
  of<T>(key: string, inputs: readonly unknown[], make: () => T): T;
  /** The same for work in steps. */
  steps<T>(
    key: string,
    inputs: readonly unknown[],
    make: () => Generator<undefined, T, undefined>,
  ): Generator<undefined, T, undefined>;
  /** Forgets what was not asked for since the last call. */
  sweep(): void;
}

interface Entry {
  inputs: readonly unknown[];
  result: unknown;
  used: boolean;
}

export function createMemory(): Remembered {
  const entries = new Map<string, Entry>();
  const find = (key: string, inputs: readonly unknown[]): Entry | undefined => {
    const former = entries.get(key);
    if (former === undefined || !sameItems(former.inputs, inputs)) return undefined;
    former.used = true;
    return former;
  };
  const keep = <T>(key: string, inputs: readonly unknown[], result: T): T => {
    // Lists that were put together have room for more, and keys are put together too: both stay for long.
    entries.set(entries.has(key) ? key : oneText(key), { inputs: inputs.slice(), result, used: true });
    return result;
  };
  return {
    of<T>(key: string, inputs: readonly unknown[], make: () => T): T {
      const former = find(key, inputs);
      // made by the same `make` of the same key
      return former === undefined ? keep(key, inputs, make()) : (former.result as T);
    },
    *steps<T>(key: string, inputs: readonly unknown[], make: () => Generator<undefined, T, undefined>) {
      const former = find(key, inputs);
      return former === undefined ? keep(key, inputs, yield* make()) : (former.result as T); // as above
    },
    sweep() {
      for (const [key, entry] of entries) {
        if (!entry.used) entries.delete(key);
        entry.used = false;
      }
    },
  };
}

/** For a single round, and wherever everything is read anew: remembers nothing. */
export const noMemory: Remembered = {
  of: (_key, _inputs, make) => make(),
  steps: (_key, _inputs, make) => make(),
  sweep: () => undefined,
};

/** One by one the very same values. */
export function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
