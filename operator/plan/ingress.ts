/** Which FQDNs the ingress serves. Pure. A link whose material broke keeps the entry it had. */
import type { PacsLink, TrustSpace } from '../api/types.generated.ts';
import { keyOf } from '../resources/inventory.ts';
import { siteOf } from './acceptance.ts';
import type { GatewayPlan } from './gateway-plan.ts';
import type { ClientTrust, IngressHost, IngressPlan, TlsIdentity } from './ingress-plan.ts';
import type { Observations } from './observations.ts';

export interface ServedLink {
  readonly link: PacsLink;
  readonly trustSpace: TrustSpace;
  readonly gateway: GatewayPlan;
  /** The site can't be planned: its entries stay as they were. */
  readonly held: boolean;
}

/** @param paused sites whose entries stay exactly as they were, whatever became of their links */
export function planIngress(
  links: readonly ServedLink[],
  paused: ReadonlySet<string>,
  seen: Observations,
  before?: IngressPlan,
): IngressPlan {
  const trusts = trustsOf(links, seen, before);
  const kept = before?.hosts.filter((host) => paused.has(host.site)) ?? [];
  const hosts = [...kept, ...links.flatMap((served) => hostsOf(served, seen, before))]
    .filter((host) => host.kind === 'vi' || trusts.has(host.trust))
    .toSorted((a, b) => (a.fqdn < b.fqdn ? -1 : 1));
  const used = new Set(hosts.flatMap((host) => (host.kind === 'db' ? [host.trust] : [])));
  return {
    hosts,
    trusts: [...trusts.values()].filter(({ name }) => used.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    internal: { ...seen.internal.ingress, caPem: seen.internal.caPem },
  };
}

function trustsOf(
  links: readonly ServedLink[],
  seen: Observations,
  before: IngressPlan | undefined,
): Map<string, ClientTrust> {
  const found = new Map<string, ClientTrust>();
  const names = [...(before?.trusts ?? []), ...links.map(({ trustSpace }) => trustSpace.metadata)];
  for (const { name } of names) {
    const trust = seen.trusts.get(name);
    const former = before?.trusts.find((candidate) => candidate.name === name);
    if (trust?.anchors.ok === true && trust.crls.ok)
      found.set(name, { name, anchorsPem: trust.anchors.pem, crlsPem: trust.crls.pem });
    else if (former !== undefined) found.set(name, former);
  }
  return found;
}

function hostsOf(served: ServedLink, seen: Observations, before: IngressPlan | undefined): IngressHost[] {
  const { link, trustSpace, gateway } = served;
  const { db, vi, limits } = link.spec;
  const common = {
    link: keyOf(link),
    site: siteOf(link),
    limits: { maxConnections: limits.maxConnections, maxRequests: limits.maxRequests },
  };
  const serverName = seen.internal.gateways.get(gateway.site)?.serverName;
  const identityOf = (kind: 'db' | 'vi', secretName: string): TlsIdentity | undefined => {
    const name = `${link.metadata.namespace}/${secretName}`;
    const material = seen.servers?.get(`${common.link} ${kind}`) ?? seen.identities.get(name);
    return material?.ok === true
      ? { name, certificatePem: material.certificatePem, keyPem: material.keyPem, notAfter: material.notAfter }
      : undefined;
  };
  const former = (fqdn: string): IngressHost[] =>
    before?.hosts.filter((host) => host.fqdn === fqdn && host.link === common.link) ?? [];
  if (served.held || serverName === undefined) return [...former(db.fqdn), ...former(vi.fqdn)];
  const { wado, viewer } = gateway.config.listeners;
  const upstream = ({ host, port }: { readonly host: string; readonly port: number }): IngressHost['upstream'] => ({
    host,
    port,
    serverName,
  });
  const dbIdentity = identityOf('db', db.certificate.secretName);
  const viIdentity = identityOf('vi', vi.certificate.secretName);
  return [
    ...(dbIdentity === undefined
      ? former(db.fqdn)
      : [
          {
            kind: 'db' as const,
            fqdn: db.fqdn,
            ...common,
            identity: dbIdentity,
            upstream: upstream(wado),
            trust: trustSpace.metadata.name,
          },
        ]),
    ...(viIdentity === undefined
      ? former(vi.fqdn)
      : [
          {
            kind: 'vi' as const,
            fqdn: vi.fqdn,
            ...common,
            identity: viIdentity,
            upstream: upstream(viewer),
            probeCidrs: trustSpace.spec.ingress.weatherProbes,
          },
        ]),
  ];
}
