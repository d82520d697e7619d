/**
 * The publication saga as a table (architecture §3): which state a step's result leads to. A crash at any arrow resumes at the
 * state that was committed; every step may run again without harm, because all identifiers are fixed when a job is built.
 *
 *     queued --built--> built --published--> published
 *        |                |--removed-------> removed
 *        |--unchanged--> unchanged
 *        |--declined---> declined      (DESTDMP=N, no qualified INS, study still in another report)
 *        |--failed-----> failed        (E001, E004, E005, E006, E007, E008)
 *        `--wait-------> queued / built (E003: the PACS is silent; the DMP is silent)
 */
import type { EndState, OpenState } from '../archive/jobs.ts';

export type StepEvent = 'built' | 'published' | 'removed' | 'unchanged' | 'declined' | 'failed' | 'wait';

export const transitions: Readonly<Record<OpenState, Readonly<Partial<Record<StepEvent, OpenState | EndState>>>>> = {
  queued: { built: 'built', unchanged: 'unchanged', declined: 'declined', failed: 'failed', wait: 'queued' },
  built: { published: 'published', removed: 'removed', failed: 'failed', wait: 'built' },
};

/** @throws Error for a result the state does not know: a defect of ours, never of an input. */
export function next(state: OpenState, event: StepEvent): OpenState | EndState {
  const target = transitions[state][event];
  if (target === undefined) throw new Error(`publication: a job in state ${state} can't take ${event}`);
  return target;
}

/**
 * When a waiting job is tried again: exponential from `initialMs` to `maximumMs`, with up to a fifth of jitter so that a
 * thousand jobs do not knock together.
 * @param random in [0, 1)
 */
export function backOff(
  attempts: number,
  limits: { readonly initialMs: number; readonly maximumMs: number },
  random: number,
): number {
  const base = Math.min(limits.maximumMs, limits.initialMs * 2 ** Math.min(attempts, 30));
  return Math.round(base * (0.8 + 0.2 * random));
}
