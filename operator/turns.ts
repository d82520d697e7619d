/** Long work in one thread, without holding up what else lives there: the Lease, the proxies' acknowledgements, the pages. */

/** Ms after which the event loop gets its turn. */
const sliceMs = 8;

const waiting: (() => void)[] = [];
let since = performance.now();

/**
 * Await it between two pieces of work: when enough time has passed it gives the loop back. All long work takes its turns here, one
 * piece of one of them in each turn of the loop: eight workers that each keep to their slice would hold it for eight slices.
 */
export async function breathe(): Promise<void> {
  if (waiting.length === 0 && performance.now() - since < sliceMs) return;
  await ownTurn();
}

/** Await it before a piece of work that takes a good part of a turn by itself. */
export async function ownTurn(): Promise<void> {
  await new Promise<void>((resume) => {
    waiting.push(resume);
    if (waiting.length === 1) setImmediate(next);
  });
}

function next(): void {
  since = performance.now();
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(next);
}

/** The result of work in steps, in one go. */
export function atOnce<T>(steps: Generator<unknown, T, undefined>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The result of work that can be halted between its steps. */
export async function inSlices<T>(steps: Generator<unknown, T, undefined>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await breathe();
  }
}

/** The same work for each of many items, as steps: it can be halted after each hundred. */
export function* overAll<T>(items: Iterable<T>, work: (item: T) => void): Generator<undefined, void, undefined> {
  let count = 0;
  for (const item of items) {
    work(item);
    count += 1;
    if (count % 100 === 0) yield undefined;
  }
}
