/**
 * PURE: what should exist, from what was observed and what was planned before. A site that is paused, or that can't be planned
 * any more because something it refers to broke, keeps its former plan; only what is gone from the resources goes.
 */
import { keyOf } from '../resources/inventory.ts';
import { type AcceptedSet, type Refusal, acceptAcross } from './acceptance.ts';
import { type GatewayPlan, planGateway } from './gateway-plan.ts';
import { type ServedLink, planIngress } from './ingress.ts';
import type { IngressPlan } from './ingress-plan.ts';
import type { Observations } from './observations.ts';

export interface Plan {
  /** Sorted by site. */
  readonly gateways: readonly GatewayPlan[];
  readonly ingress: IngressPlan;
}

export interface Planning {
  readonly plan: Plan;
  readonly accepted: AcceptedSet;
  /** Site to why it has no new plan; with a former one it goes on as it was. */
  readonly unplanned: ReadonlyMap<string, Refusal>;
}

export function makePlan(seen: Observations, before?: Plan): Planning {
  const { inventory } = seen;
  const accepted = acceptAcross(inventory, seen.layout.sharedPorts);
  const unplanned = new Map<string, Refusal>();
  const gateways: GatewayPlan[] = [];
  const served: ServedLink[] = [];
  const paused = new Set<string>();
  for (const site of inventory.sites.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) {
    const key = keyOf(site);
    const trustSpace = inventory.trustSpaces.find((candidate) => keyOf(candidate) === site.spec.trustSpace);
    const links = accepted.linksOf.get(key) ?? [];
    const refusal = accepted.refusedSites.get(key);
    const former = before?.gateways.find((candidate) => candidate.site === key);
    const planning =
      refusal !== undefined || trustSpace === undefined
        ? { ok: false as const, refusal: refusal ?? { reason: 'TrustSpaceNotFound', message: 'no such TrustSpace' } }
        : planGateway(site, trustSpace, links, seen);
    if (!planning.ok) unplanned.set(key, planning.refusal);
    if (site.spec.paused) paused.add(key);
    const gateway = site.spec.paused || !planning.ok ? former : planning.plan;
    if (gateway === undefined) continue;
    gateways.push(gateway);
    if (site.spec.paused) continue;
    // Without its TrustSpace a site's FQDNs have no trust to stand on; what runs goes on, the entries go.
    if (trustSpace !== undefined) {
      const held = !planning.ok;
      served.push(...links.map((link) => ({ link, trustSpace, gateway, held })));
    }
  }
  return { plan: { gateways, ingress: planIngress(served, paused, seen, before?.ingress) }, accepted, unplanned };
}
