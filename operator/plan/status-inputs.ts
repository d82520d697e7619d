/** What a status is made from: as long as all of it is the same, so is the status (remembered.ts). */
import type { DrimboxSite, PacsLink } from '../api/types.generated.ts';
import { keyOf } from '../resources/inventory.ts';
import { type Refusal, siteOf } from './acceptance.ts';
import type { Observations } from './observations.ts';
import type { Planning } from './plan.ts';

/** All that the status of a site looks at. */
export function siteInputs(site: DrimboxSite, seen: Observations, planning: Planning): readonly unknown[] {
  const key = keyOf(site);
  const { refusedSites, linksOf, unknownPacs } = planning.accepted;
  const own = site.spec.dmp.certificates.flatMap(({ authentication, signature }) => [authentication, signature]);
  return [
    ...refusalInputs(refusedSites.get(key)),
    ...refusalInputs(planning.unplanned.get(key)),
    unknownPacs.get(key)?.join(),
    seen.trusts.get(site.spec.trustSpace),
    seen.gateways.get(key),
    seen.replicas?.get(key),
    seen.unwritten?.get(key),
    planning.gatewayOf.get(key),
    ...own.map(({ secretName }) => seen.identities.get(`${site.metadata.namespace}/${secretName}`)),
    ...(linksOf.get(key) ?? []).flatMap((link) => [link, ...certificateInputs(link, seen, planning)]),
  ];
}

/** All that the status of a link looks at. */
export function linkInputs(link: PacsLink, seen: Observations, planning: Planning): readonly unknown[] {
  const key = keyOf(link);
  const ingress = seen.ingress.get(key);
  return [
    ...refusalInputs(planning.accepted.refusedLinks.get(key)),
    ...refusalInputs(planning.accepted.smallPools.get(key)),
    seen.gateways.get(siteOf(link)),
    seen.replicas?.get(siteOf(link)),
    planning.gatewayOf.get(siteOf(link))?.config.replicas,
    planning.gatewayOf.get(siteOf(link))?.config.revision,
    seen.requests?.get(key),
    ingress?.status,
    ingress?.reason,
    ingress?.message,
    ...certificateInputs(link, seen, planning),
  ];
}

/** By what it says: with any change all resources are accepted or refused anew. */
function refusalInputs(refusal: Refusal | undefined): readonly [string | undefined, string | undefined] {
  return [refusal?.reason, refusal?.message];
}

function certificateInputs(link: PacsLink, seen: Observations, planning: Planning): readonly unknown[] {
  return (['db', 'vi'] as const).flatMap((kind) => {
    const { fqdn, certificate } = link.spec[kind];
    return [
      planning.hostOf.get(fqdn),
      seen.servers?.get(`${keyOf(link)} ${kind}`),
      seen.identities.get(`${link.metadata.namespace}/${certificate.secretName}`),
    ];
  });
}
