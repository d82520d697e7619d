/**
 * Ten thousand objects of a region say the same: names of labels and sites, times, reasons. Parsed, each of these is a text and an object
 * of its own, which is a third of all that the operator would hold, and goes through with each collection of garbage.
 */

/**
 * The one text among all that are equal. Names of properties are kept once by the engine, and no longer than somebody has them: a table
 * of our own would keep each for ever. 0.4 µs.
 */
export function oneText(text: string): string {
  const [one = text] = Object.keys({ __proto__: null, [text]: 0 });
  return one;
}

/** Longer ones are contents, and hardly there twice. */
const longestShared = 256;

/**
 * What was parsed, with one text for equal ones, and each part that is equal to the same part of `former` as that very part: a spec stays
 * the same object while statuses come and go, and what was made from it stands (plan/remembered.ts).
 * @param next plain data that nobody else has yet: changed in place
 */
export function sharing<T>(next: T, former: unknown): T;
export function sharing(next: unknown, former: unknown): unknown {
  if (next === former) return former;
  if (typeof next === 'string') return next.length > longestShared ? next : oneText(next);
  if (Array.isArray(next)) return sharingList(next, Array.isArray(former) ? former : []);
  return isObject(next) ? sharingFields(next, isObject(former) ? former : {}) : next;
}

function sharingList(next: unknown[], former: readonly unknown[]): readonly unknown[] {
  let same = next.length === former.length;
  for (const [index, part] of next.entries()) {
    next[index] = sharing(part, former[index]);
    same &&= next[index] === former[index];
  }
  return same ? former : next;
}

type Fields = Record<string, unknown>;

function sharingFields(next: Fields, former: Readonly<Fields>): Readonly<Fields> {
  const names = Object.keys(next);
  let same = names.length === Object.keys(former).length;
  for (const name of names) {
    const before = Object.hasOwn(former, name) ? former[name] : undefined;
    next[name] = sharing(next[name], before);
    same &&= next[name] === before && before !== undefined;
  }
  return same ? former : next;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
