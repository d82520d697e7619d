/** Long work in one thread, without holding up what else lives there: the Lease, the proxies' acknowledgements. */
import { setImmediate as turn } from 'node:timers/promises';

/** Ms after which the event loop gets its turn. */
const sliceMs = 8;

/** Await it between two pieces of work: it gives the loop back when enough time has passed. */
export function pace(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < sliceMs) return;
    await turn();
    since = performance.now();
  };
}

/** The result of work that can be halted between its steps. */
export async function inSlices<T>(steps: Generator<unknown, T, undefined>): Promise<T> {
  const breathe = pace();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await breathe();
  }
}
