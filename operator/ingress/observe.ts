/** What is said of each PacsLink. Pure. */
import type { IngressPlan } from '../plan/ingress-plan.ts';
import type { IngressObservation } from '../plan/observations.ts';
import type { ProxiesSeen } from './control-plane/server.ts';
import { isEqual } from './equal.ts';
import { type Quarantine, type Verdict, isServed, verdicts } from './quarantine.ts';

export interface IngressState {
  readonly plan: IngressPlan | undefined;
  readonly state: Quarantine;
  /** The proxy refuses what it took before. */
  readonly fault: string | undefined;
  readonly proxies: ProxiesSeen;
}

/** A condition's message has at most 32 768 characters; whoever reads it wants far less. */
const maxWords = 500;

/** PacsLink to observation, for each link of the plan. Thousands of links share what is said of most of them. */
export function observeIngress(seen: IngressState): ReadonlyMap<string, IngressObservation> {
  const verdictOf = verdicts(seen.state);
  const shared = new Map<boolean, IngressObservation>();
  const told = (link: string): IngressObservation => {
    const verdict = verdictOf(link);
    if (verdict.refusal !== undefined) return refused(link, verdict.refusal, seen);
    const observation = shared.get(verdict.accepted) ?? observe(verdict, seen);
    shared.set(verdict.accepted, observation);
    return observation;
  };
  const observations = new Map<string, IngressObservation>();
  for (const { link } of seen.plan?.hosts ?? []) if (!observations.has(link)) observations.set(link, told(link));
  return observations;
}

/** Whether the same is said of the same links, in whatever order. */
export function saysTheSame(
  a: ReadonlyMap<string, IngressObservation>,
  b: ReadonlyMap<string, IngressObservation>,
): boolean {
  if (a.size !== b.size) return false;
  for (const [link, observation] of a) if (!isEqual(observation, b.get(link))) return false;
  return true;
}

function refused(link: string, refusal: string, { state }: IngressState): IngressObservation {
  return rejected(isServed(state, link) ? 'the settings before this change are served' : 'it is not served', refusal);
}

function observe({ accepted }: Verdict, { fault, proxies }: IngressState): IngressObservation {
  if (fault !== undefined) return rejected('nothing may be served', fault);
  if (proxies.connected === 0)
    return {
      status: 'False',
      reason: 'NoProxyConnected',
      message: 'no proxy is connected to the operator; one that runs serves what it was given last',
    };
  if (!accepted) return waiting('the proxy has not acknowledged it yet');
  const { connected, synchronised } = proxies;
  if (synchronised < connected) return waiting(`${synchronised} of ${connected} proxies have acknowledged it`);
  return programmed;
}

/** Without their number: it would be another message of each of thousands of links when a proxy comes or goes. */
export const programmed: IngressObservation = {
  status: 'True',
  reason: 'Programmed',
  message: 'every connected proxy acknowledged it',
};

function waiting(message: string): IngressObservation {
  return { status: 'Unknown', reason: 'NotAcknowledged', message };
}

function rejected(effect: string, words: string): IngressObservation {
  return {
    status: 'False',
    reason: 'RejectedByProxy',
    message: `${effect}; the proxy said: ${words.slice(0, maxWords)}`,
  };
}

/** On one host, where it is known: the proxy itself is not there. @param lastEnd exit code or signal */
export function proxyDown(lastEnd: string | undefined): IngressObservation {
  return {
    status: 'False',
    reason: 'ProxyDown',
    message: `the proxy does not run (it ended with ${lastEnd ?? 'nothing yet'}); it is started again, its log says why`,
  };
}
