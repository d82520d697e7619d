/** What is said of each PacsLink. Pure. */
import type { ProgramState } from '../infrastructure/host/supervisor.ts';
import type { IngressPlan } from '../plan/ingress-plan.ts';
import type { IngressObservation } from '../plan/observations.ts';
import { type Quarantine, isServed, verdictOf } from './quarantine.ts';

export interface IngressState {
  readonly plan: IngressPlan | undefined;
  readonly state: Quarantine;
  /** The proxy refuses what it took before. */
  readonly fault: string | undefined;
  readonly program: ProgramState | undefined;
}

/** A condition's message has at most 32 768 characters; whoever reads it wants far less. */
const maxWords = 500;

/** PacsLink to observation, for each link of the plan. */
export function observeIngress(seen: IngressState): ReadonlyMap<string, IngressObservation> {
  const links = new Set(seen.plan?.hosts.map(({ link }) => link));
  return new Map([...links].map((link) => [link, observe(link, seen)]));
}

function observe(link: string, { state, fault, program }: IngressState): IngressObservation {
  if (program?.running !== true)
    return {
      status: 'False',
      reason: 'ProxyDown',
      message: `the proxy does not run (it ended with ${program?.lastEnd ?? 'nothing yet'}); it is started again, its log says why`,
    };
  const { accepted, refusal } = verdictOf(state, link);
  if (refusal !== undefined)
    return rejected(isServed(state, link) ? 'the settings before this change are served' : 'it is not served', refusal);
  if (fault !== undefined) return rejected('nothing may be served', fault);
  return accepted
    ? { status: 'True', reason: 'Programmed', message: 'the proxy acknowledged it' }
    : { status: 'Unknown', reason: 'NotAcknowledged', message: 'the proxy has not acknowledged it yet' };
}

function rejected(effect: string, words: string): IngressObservation {
  return {
    status: 'False',
    reason: 'RejectedByProxy',
    message: `${effect}; the proxy said: ${words.slice(0, maxWords)}`,
  };
}
