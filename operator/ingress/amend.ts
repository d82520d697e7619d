/** A change that is worked out in slices, of a state that others change meanwhile. */

export interface Held<T> {
  get(): T;
  set(value: T): void;
}

/** Made again of what the state is by then, until nobody came in between: what was said meanwhile counts, and so does the change. */
export async function amend<T>(state: Held<T>, change: (from: T) => T | Promise<T>): Promise<void> {
  for (;;) {
    const from = state.get();
    const changed = await change(from);
    if (state.get() !== from) continue;
    state.set(changed);
    return;
  }
}
