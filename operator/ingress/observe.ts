/** What is said of each PacsLink. Pure. */
import type { IngressPlan } from '../plan/ingress-plan.ts';
import type { IngressObservation } from '../plan/observations.ts';
import type { ProxiesSeen } from './control-plane/server.ts';
import { type Quarantine, isServed, verdictOf } from './quarantine.ts';

export interface IngressState {
  readonly plan: IngressPlan | undefined;
  readonly state: Quarantine;
  /** The proxy refuses what it took before. */
  readonly fault: string | undefined;
  readonly proxies: ProxiesSeen;
}

/** A condition's message has at most 32 768 characters; whoever reads it wants far less. */
const maxWords = 500;

/** PacsLink to observation, for each link of the plan. */
export function observeIngress(seen: IngressState): ReadonlyMap<string, IngressObservation> {
  const links = new Set(seen.plan?.hosts.map(({ link }) => link));
  return new Map([...links].map((link) => [link, observe(link, seen)]));
}

function observe(link: string, { state, fault, proxies }: IngressState): IngressObservation {
  const { accepted, refusal } = verdictOf(state, link);
  if (refusal !== undefined)
    return rejected(isServed(state, link) ? 'the settings before this change are served' : 'it is not served', refusal);
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
  const who = connected === 1 ? 'the proxy' : `all ${connected} proxies`;
  return { status: 'True', reason: 'Programmed', message: `${who} acknowledged it` };
}

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
