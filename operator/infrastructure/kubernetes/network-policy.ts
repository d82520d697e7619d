/** What may flow to and from a gateway: nothing but what its site needs. Pure. */
import { isIP } from 'node:net';
import type { DrimboxSite, PacsLink, TrustSpace } from '../../api/types.generated.ts';
import type { Json } from './json.ts';
import { nameLabel, podPorts, selectorOf } from './names.ts';

/** Where the operator and the ingress live. */
export interface SystemNamespace {
  readonly name: string;
}

/** A namespace with this label may read /metrics of gateways (the pods of Prometheus). */
export const metricsLabel = 'drimbox.dev/metrics';

export function networkPolicySpec(
  site: DrimboxSite,
  links: readonly PacsLink[],
  trust: TrustSpace,
  system: SystemNamespace,
): Json {
  return {
    podSelector: { matchLabels: selectorOf(site.metadata.name) },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      { from: [podsOf('drimbox-ingress', system)], ports: [tcp(podPorts.wado), tcp(podPorts.viewer)] },
      {
        from: [podsOf('drimbox-operator', system), { namespaceSelector: { matchLabels: { [metricsLabel]: 'true' } } }],
        ports: [tcp(podPorts.admin)],
      },
      {
        from: site.spec.network.sources.map((cidr) => ({ ipBlock: { cidr } })),
        ports: [tcp(podPorts.mllp), tcp(podPorts.dimse)],
      },
    ],
    egress: [
      { ports: [{ protocol: 'UDP', port: 53 }, tcp(53)] },
      ...databaseOf(site),
      ...links.map(({ spec }) => ({ ...towards(spec.node.host), ports: [tcp(spec.node.port)] })),
      { ports: nationalPorts(trust).map(tcp) },
    ],
  };
}

/** Of a database in the cluster this must be the port of its pods: a policy sees no Service. */
function databaseOf({ spec }: DrimboxSite): Json[] {
  const { postgres } = spec.storage;
  return postgres === undefined ? [] : [{ ...towards(postgres.host), ports: [tcp(postgres.port)] }];
}

function podsOf(name: string, system: SystemNamespace): Json {
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': system.name } },
    podSelector: { matchLabels: { [nameLabel]: name } },
  };
}

function tcp(port: number): Json {
  return { protocol: 'TCP', port };
}

/** A policy knows addresses, not names: what is given by name is bounded by its port alone. */
function towards(host: string): Json {
  const family = isIP(host);
  return family === 0 ? {} : { to: [{ ipBlock: { cidr: `${host}/${family === 4 ? 32 : 128}` } }] };
}

/** DMP and Pro Sante Connect are given by name and change addresses: bounded by port. */
function nationalPorts({ spec }: TrustSpace): number[] {
  const urls = [spec.dmp.url, ...(spec.introspection.url === undefined ? [] : [spec.introspection.url])];
  const ports = urls
    .map((url) => new URL(url))
    .map(({ port, protocol }) => Number(port || (protocol === 'http:' ? 80 : 443)));
  return [...new Set(ports)].toSorted((a, b) => a - b);
}
