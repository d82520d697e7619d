/** Which FQDNs the ingress serves. Pure. A link whose material broke keeps the entry it had. */
import type { PacsLink, TrustSpace } from '../api/types.generated.ts';
import { keyOf } from '../resources/inventory.ts';
import { oneText } from '../resources/sharing.ts';
import { siteOf } from './acceptance.ts';
import type { GatewayPlan } from './gateway-plan.ts';
import type { ClientTrust, IngressHost, IngressPlan } from './ingress-plan.ts';
import type { Gathered, IdentityMaterial, Resolved } from './observations.ts';
import { type Remembered, noMemory } from './remembered.ts';

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
  seen: Gathered,
  before?: IngressPlan,
  memory: Remembered = noMemory,
): IngressPlan {
  const trusts = trustsOf(links, seen, before, memory);
  const formers = Map.groupBy(before?.hosts ?? [], (host) => host.link);
  const kept = before?.hosts.filter((host) => paused.has(host.site)) ?? [];
  const hosts = [...kept, ...links.flatMap((served) => hostsOf(served, seen, formers, memory))]
    .filter((host) => host.kind === 'vi' || trusts.has(host.trust))
    .sort((a, b) => (a.fqdn < b.fqdn ? -1 : 1));
  const used = new Set(hosts.flatMap((host) => (host.kind === 'db' ? [host.trust] : [])));
  return {
    hosts,
    trusts: [...trusts.values()].filter(({ name }) => used.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    internal: internalOf(seen, memory),
  };
}

/** The same object as long as it says the same: every cluster is encoded with it. */
function internalOf({ internal }: Gathered, memory: Remembered): IngressPlan['internal'] {
  const { identity, serverName } = internal.ingress;
  const inputs = [identity.name, identity.certificatePem, identity.keyPem, serverName, internal.caPem];
  return memory.of('internal', inputs, () => ({ ...internal.ingress, caPem: internal.caPem }));
}

function trustsOf(
  links: readonly ServedLink[],
  seen: Gathered,
  before: IngressPlan | undefined,
  memory: Remembered,
): Map<string, ClientTrust> {
  const found = new Map<string, ClientTrust>();
  const names = new Set([
    ...(before?.trusts ?? []).map(({ name }) => name),
    ...links.map(({ trustSpace }) => trustSpace.metadata.name),
  ]);
  for (const name of names) {
    const trust = seen.trusts.get(name);
    const former = before?.trusts.find((candidate) => candidate.name === name);
    if (trust?.anchors.ok === true && trust.crls.ok) {
      const [anchorsPem, crlsPem] = [trust.anchors.pem, trust.crls.pem];
      found.set(
        name,
        memory.of(`trust ${name}`, [anchorsPem, crlsPem], () => ({ name, anchorsPem, crlsPem })),
      );
    } else if (former !== undefined) found.set(name, former);
  }
  return found;
}

type Formers = ReadonlyMap<string, readonly IngressHost[]>;

function hostsOf(served: ServedLink, seen: Gathered, formers: Formers, memory: Remembered): readonly IngressHost[] {
  const { link, trustSpace, gateway, held } = served;
  const key = keyOf(link);
  const { db, vi } = link.spec;
  const own = seen.internal.gateways.get(gateway.site);
  const upstream = seen.layout.upstreamOf === undefined ? undefined : (seen.layout.upstreamOf(gateway.site) ?? '');
  const former = formers.get(key)?.filter(({ fqdn }) => fqdn === db.fqdn || fqdn === vi.fqdn) ?? [];
  if (held || own === undefined || upstream === '') return former;
  const material = (kind: 'db' | 'vi'): Resolved<IdentityMaterial> | undefined =>
    seen.servers?.get(`${key} ${kind}`) ?? seen.identities.get(secretName(link, kind));
  const materials = [material('db'), material('vi')] as const;
  const { listeners } = gateway.config;
  const make = (): IngressHost[] =>
    (['db', 'vi'] as const).flatMap((kind, index) => {
      const found = materials[index];
      if (found?.ok !== true) return former.filter(({ fqdn }) => fqdn === link.spec[kind].fqdn);
      const { host, port } = kind === 'db' ? listeners.wado : listeners.viewer;
      return [hostOf(kind, { link, trustSpace }, found, { host: upstream ?? host, port, serverName: own.serverName })];
    });
  const complete = materials.every((found) => found?.ok === true);
  if (!complete) return make();
  const inputs = [
    link.spec,
    trustSpace.spec,
    listeners.wado.port,
    listeners.viewer.port,
    upstream,
    own.serverName,
    ...materials,
  ];
  return memory.of(`hosts ${key}`, inputs, make);
}

function secretName(link: PacsLink, kind: 'db' | 'vi'): string {
  return `${link.metadata.namespace}/${link.spec[kind].certificate.secretName}`;
}

function hostOf(
  kind: 'db' | 'vi',
  { link, trustSpace }: Pick<ServedLink, 'link' | 'trustSpace'>,
  { certificatePem, keyPem, notAfter }: IdentityMaterial,
  upstream: IngressHost['upstream'],
): IngressHost {
  const { limits } = link.spec;
  const common = {
    fqdn: link.spec[kind].fqdn,
    link: oneText(keyOf(link)),
    site: oneText(siteOf(link)),
    limits: { maxConnections: limits.maxConnections, maxRequests: limits.maxRequests },
    identity: { name: oneText(secretName(link, kind)), certificatePem, keyPem, notAfter },
    upstream,
  };
  return kind === 'db'
    ? { kind, ...common, trust: trustSpace.metadata.name }
    : { kind, ...common, probeCidrs: trustSpace.spec.ingress.weatherProbes };
}
