/**
 * PURE: what should exist, from what was observed and what was planned before. A site that is paused, or that can't be planned
 * any more because something it refers to broke, keeps its former plan; only what is gone from the resources goes.
 */
import { atOnce } from '../turns.ts';
import type { DrimboxSite, PacsLink, TrustSpace } from '../api/types.generated.ts';
import { keyOf } from '../resources/inventory.ts';
import { type AcceptedSet, type Refusal, acceptSteps } from './acceptance.ts';
import { type GatewayPlan, type GatewayPlanning, planGateway } from './gateway-plan.ts';
import { type ServedLink, planIngress } from './ingress.ts';
import type { IngressHost, IngressPlan } from './ingress-plan.ts';
import type { Gathered } from './observations.ts';
import { type Remembered, noMemory } from './remembered.ts';

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
  /** Site to its gateway, FQDN to its entry: what `plan` holds, to look things up. */
  readonly gatewayOf: ReadonlyMap<string, GatewayPlan>;
  readonly hostOf: ReadonlyMap<string, IngressHost>;
}

/** What is paused stays exactly as it is: by its spec, or by the annotation for those who may not change a spec under GitOps. */
export const pauseAnnotation = 'drimbox.dev/paused';

export function isPaused({ spec, metadata }: DrimboxSite): boolean {
  return spec.paused || metadata.annotations?.[pauseAnnotation] === 'true';
}

export function makePlan(seen: Gathered, before?: Plan, memory: Remembered = noMemory): Planning {
  return atOnce(planSteps(seen, before, memory));
}

/** {@link makePlan} one site after the other, so that whoever has a thousand can give the event loop back in between. */
export function* planSteps(
  seen: Gathered,
  before?: Plan,
  memory: Remembered = noMemory,
): Generator<undefined, Planning, undefined> {
  const { inventory } = seen;
  const resources = [inventory.sites, inventory.links, inventory.trustSpaces];
  const accepted = yield* memory.steps('accepted', resources, () => acceptSteps(inventory, seen.layout.sharedPorts));
  const formers = new Map(before?.gateways.map((gateway) => [gateway.site, gateway]));
  const trustSpaces = new Map(inventory.trustSpaces.map((trustSpace) => [keyOf(trustSpace), trustSpace]));
  const unplanned = new Map<string, Refusal>();
  const gateways: GatewayPlan[] = [];
  const served: ServedLink[] = [];
  const paused = new Set<string>();
  for (const site of inventory.sites.toSorted(byKey)) {
    yield undefined;
    const key = keyOf(site);
    const trustSpace = trustSpaces.get(site.spec.trustSpace);
    const links = accepted.linksOf.get(key) ?? [];
    const refusal = accepted.refusedSites.get(key);
    const planning =
      refusal !== undefined || trustSpace === undefined
        ? { ok: false as const, refusal: refusal ?? { reason: 'TrustSpaceNotFound', message: 'no such TrustSpace' } }
        : plannedOnce(site, trustSpace, links, seen, memory);
    if (!planning.ok) unplanned.set(key, planning.refusal);
    const isHalted = isPaused(site);
    if (isHalted) paused.add(key);
    const gateway = isHalted || !planning.ok ? formers.get(key) : planning.plan;
    if (gateway === undefined) continue;
    gateways.push(gateway);
    if (isHalted) continue;
    // Without its TrustSpace a site's FQDNs have no trust to stand on; what runs goes on, the entries go.
    if (trustSpace !== undefined) {
      const held = !planning.ok;
      served.push(...links.map((link) => ({ link, trustSpace, gateway, held })));
    }
  }
  const ingress = planIngress(served, paused, seen, before?.ingress, memory);
  return {
    plan: { gateways, ingress },
    accepted,
    unplanned,
    gatewayOf: new Map(gateways.map((gateway) => [gateway.site, gateway])),
    hostOf: new Map(ingress.hosts.map((host) => [host.fqdn, host])),
  };
}

function byKey(a: DrimboxSite, b: DrimboxSite): number {
  const [nsA, nsB] = [a.metadata.namespace, b.metadata.namespace];
  if (nsA !== nsB) return `${nsA}/` < `${nsB}/` ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** A refusal is looked at anew each time: its words may come from anywhere. */
function plannedOnce(
  site: DrimboxSite,
  trustSpace: TrustSpace,
  links: readonly PacsLink[],
  seen: Gathered,
  memory: Remembered,
): GatewayPlanning {
  const key = keyOf(site);
  const { namespace } = site.metadata;
  const named = site.spec.dmp.certificates.flatMap(({ authentication, signature }) => [authentication, signature]);
  const ports = seen.layout.portsOf(key);
  const inputs = [
    site.spec,
    trustSpace.spec,
    seen.trusts.get(trustSpace.metadata.name),
    seen.internal.gateways.get(key),
    seen.internal.caPem,
    seen.internal.ingress.serverName,
    ...Object.values(ports),
    ...links.map(({ spec }) => spec),
    ...named.map(({ secretName }) => seen.identities.get(`${namespace}/${secretName}`)),
    seen.databases?.get(key),
  ];
  return memory.of(`gateway ${key}`, inputs, () => planGateway(site, trustSpace, links, seen));
}
