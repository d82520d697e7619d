/**
 * Checks that need several resources, which no schema can say: does what is named exist, and does nobody else hold the same
 * FQDN, AE title or port. Of two that clash the older one is served, so that a newcomer never takes anything away. Pure.
 */
import type { DrimboxSite, PacsLink } from '../api/types.generated.ts';
import { type Inventory, keyOf } from '../resources/inventory.ts';

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

export interface AcceptedSet {
  /** Every link and site refused, by key. */
  readonly refusedLinks: ReadonlyMap<string, Refusal>;
  readonly refusedSites: ReadonlyMap<string, Refusal>;
  /** Links with fewer AE titles than their site has gateways. Their site is refused: what runs goes on, and they are served as before. */
  readonly smallPools: ReadonlyMap<string, Refusal>;
  /** Site to its accepted links, in order of name. */
  readonly linksOf: ReadonlyMap<string, readonly PacsLink[]>;
  /** Site to names its RIS list that are no accepted link of it. */
  readonly unknownPacs: ReadonlyMap<string, readonly string[]>;
}

type Steps<T> = Generator<undefined, T, undefined>;

/** One resource after the other (plan.ts). @param sharedPorts true when all sites listen on one address */
export function* acceptSteps(inventory: Inventory, sharedPorts: boolean): Steps<AcceptedSet> {
  const refusedLinks = yield* checkLinks(inventory);
  const accepted = Map.groupBy(
    inventory.links.filter((link) => !refusedLinks.has(keyOf(link))),
    siteOf,
  );
  const linksOf = new Map(
    inventory.sites.map((site) => [keyOf(site), byName(accepted.get(keyOf(site)) ?? [])] as const),
  );
  const unknownPacs = new Map(
    inventory.sites.map((site) => {
      const known = new Set(linksOf.get(keyOf(site))?.map((link) => link.metadata.name));
      const named = site.spec.ris.flatMap((ris) => ris.pacs);
      return [keyOf(site), [...new Set(named.filter((name) => !known.has(name)))]] as const;
    }),
  );
  yield undefined;
  const smallPools = checkPools(inventory.sites, linksOf);
  const refusedSites = yield* checkSites(inventory, { linksOf, smallPools, sharedPorts });
  return { refusedLinks, refusedSites, smallPools, linksOf, unknownPacs };
}

function byName(links: readonly PacsLink[]): PacsLink[] {
  return links.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** Key of the site a link belongs to. */
export function siteOf(link: PacsLink): string {
  return `${link.metadata.namespace}/${link.spec.site}`;
}

function byAge<T extends DrimboxSite | PacsLink>(resources: readonly T[]): T[] {
  const aged = resources.map((resource) => ({
    resource,
    age: `${resource.metadata.creationTimestamp ?? ''} ${keyOf(resource)}`,
  }));
  return aged.sort((a, b) => (a.age < b.age ? -1 : 1)).map(({ resource }) => resource);
}

function* checkLinks({ sites, links }: Inventory): Steps<Map<string, Refusal>> {
  const known = new Set(sites.map(keyOf));
  const fqdns = new Map<string, string>();
  const titles = new Map<string, string>();
  const refused = new Map<string, Refusal>();
  for (const link of byAge(links)) {
    yield undefined;
    const key = keyOf(link);
    const refusal = known.has(siteOf(link))
      ? (fqdnClash(link, fqdns) ?? titleClash(link, titles))
      : {
          reason: 'SiteNotFound',
          message: `no DrimboxSite ${link.spec.site} in namespace ${link.metadata.namespace}; make it, or correct spec.site`,
        };
    if (refusal !== undefined) {
      refused.set(key, refusal);
      continue;
    }
    for (const fqdn of [link.spec.db.fqdn, link.spec.vi.fqdn]) fqdns.set(fqdn, key);
    for (const title of link.spec.aeTitlePool) titles.set(`${siteOf(link)} ${title}`, key);
  }
  return refused;
}

function fqdnClash(link: PacsLink, taken: ReadonlyMap<string, string>): Refusal | undefined {
  const fqdn = [link.spec.db.fqdn, link.spec.vi.fqdn].find((name) => taken.has(name));
  if (fqdn === undefined) return undefined;
  return {
    reason: 'FqdnClash',
    message: `${fqdn} already belongs to PacsLink ${taken.get(fqdn) ?? ''}, which is older; give this link a name of its own`,
  };
}

/** Images arrive under the pool's title and are attributed by it: within a site a title has one link (DB0 4.8). */
function titleClash(link: PacsLink, taken: ReadonlyMap<string, string>): Refusal | undefined {
  const title = link.spec.aeTitlePool.find((name) => taken.has(`${siteOf(link)} ${name}`));
  if (title === undefined) return undefined;
  return {
    reason: 'AeTitleClash',
    message: `${title} of aeTitlePool is already in the pool of PacsLink ${taken.get(`${siteOf(link)} ${title}`) ?? ''} of the same site; images of two PACS would meet on it`,
  };
}

/** Each gateway has titles of its own, so that images reach the one that asked for them; one without any could not retrieve. */
function checkPools(sites: readonly DrimboxSite[], linksOf: AcceptedSet['linksOf']): Map<string, Refusal> {
  const small = new Map<string, Refusal>();
  for (const site of sites) {
    const { replicas } = site.spec;
    if (replicas === 1) continue;
    for (const link of linksOf.get(keyOf(site)) ?? []) {
      const { length } = link.spec.aeTitlePool;
      if (!(length < replicas)) continue; // definitions of before may not know replicas
      small.set(keyOf(link), {
        reason: 'AeTitlePoolTooSmall',
        message: `PacsLink ${keyOf(link)}: aeTitlePool has ${length} title${length === 1 ? '' : 's'}, and each of the ${replicas} gateways (spec.replicas of DrimboxSite ${site.metadata.name}) needs one of its own; add titles and configure them in the PACS, or lower replicas`,
      });
    }
  }
  return small;
}

function firstSmallPool(links: readonly PacsLink[], smallPools: AcceptedSet['smallPools']): Refusal | undefined {
  return links.map((link) => smallPools.get(keyOf(link))).find((small) => small !== undefined);
}

interface SiteChecks extends Pick<AcceptedSet, 'linksOf' | 'smallPools'> {
  readonly sharedPorts: boolean;
}

function* checkSites(
  { sites, trustSpaces }: Inventory,
  { linksOf, smallPools, sharedPorts }: SiteChecks,
): Steps<Map<string, Refusal>> {
  const trusts = new Set(trustSpaces.map(keyOf));
  const ports = new Map<number, string>();
  const refused = new Map<string, Refusal>();
  for (const site of byAge(sites)) {
    yield undefined;
    const key = keyOf(site);
    const refusal =
      (sharedPorts ? (severalOnOneHost(site) ?? portClash(site, ports)) : undefined) ??
      trustMissing(site, trusts) ??
      nothingToAsk(site, linksOf.get(key) ?? []) ??
      timeZoneUnknown(site) ??
      firstSmallPool(linksOf.get(key) ?? [], smallPools);
    if (refusal !== undefined) refused.set(key, refusal);
    if (refusal?.reason !== 'PortClash')
      for (const port of [site.spec.mllp.port, site.spec.dimse.port]) ports.set(port, key);
  }
  return refused;
}

/** A gateway of its own for each process would be as many MLLP and DIMSE ports, which RIS and PACS would have to know. */
function severalOnOneHost({ spec }: DrimboxSite): Refusal | undefined {
  if (spec.replicas === 1) return undefined;
  return {
    reason: 'SeveralOnOneHost',
    message: `replicas is ${spec.replicas}, and on one host a site has one gateway; set replicas to 1, or run the site on a cluster`,
  };
}

function portClash(site: DrimboxSite, taken: ReadonlyMap<number, string>): Refusal | undefined {
  const { mllp, dimse } = site.spec;
  if (mllp.port === dimse.port)
    return {
      reason: 'PortClash',
      message: `mllp.port and dimse.port are both ${mllp.port}; on one host they must differ`,
    };
  const port = [mllp.port, dimse.port].find((candidate) => taken.has(candidate));
  if (port === undefined) return undefined;
  return {
    reason: 'PortClash',
    message: `port ${port} already belongs to DrimboxSite ${taken.get(port) ?? ''}, which is older; on one host each site needs its own`,
  };
}

function trustMissing(site: DrimboxSite, trusts: ReadonlySet<string>): Refusal | undefined {
  if (trusts.has(site.spec.trustSpace)) return undefined;
  return { reason: 'TrustSpaceNotFound', message: `no TrustSpace ${site.spec.trustSpace}; make it` };
}

function nothingToAsk(site: DrimboxSite, links: readonly PacsLink[]): Refusal | undefined {
  if (links.length === 0)
    return {
      reason: 'NoPacsLink',
      message: 'no accepted PacsLink names this site; a DRIMbox without PACS has nothing to share',
    };
  const known = new Set(links.map((link) => link.metadata.name));
  if (site.spec.ris.some((ris) => ris.pacs.some((name) => known.has(name)))) return undefined;
  return {
    reason: 'RisWithoutPacs',
    message: 'no RIS names an accepted PacsLink of this site; correct spec.ris[].pacs',
  };
}

/** Zones known to exist: asking costs 50 µs, and every site of a region has the same. */
const knownZones = new Set<string>();

function timeZoneUnknown(site: DrimboxSite): Refusal | undefined {
  if (knownZones.has(site.spec.timeZone)) return undefined;
  try {
    new Intl.DateTimeFormat('fr', { timeZone: site.spec.timeZone }).format(0);
    knownZones.add(site.spec.timeZone);
    return undefined;
  } catch {
    // The only fault Intl finds here is a zone it does not know; which zones exist is the runtime's knowledge, not the schema's.
    return {
      reason: 'TimeZoneUnknown',
      message: `timeZone ${site.spec.timeZone} is unknown; use an IANA name such as Europe/Paris`,
    };
  }
}
