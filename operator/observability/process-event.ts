/** The supervisor's news as events. Pure. */
import type { SupervisorOptions } from '../infrastructure/host/supervisor.ts';
import type { OperatorEvent } from './events.ts';

type ProcessNews = Parameters<SupervisorOptions['onEvent']>[0];

export function processEvent({ name: process, what, pid, delayMs }: ProcessNews): OperatorEvent {
  // only what ended by itself is started again, after a wait
  if (delayMs !== undefined) return { name: 'ProcessEnded', process, what, delayMs };
  if (what === 'started') return { name: 'ProcessStarted', process, ...(pid === undefined ? {} : { pid }) };
  return { name: 'ProcessStopped', process, what };
}
