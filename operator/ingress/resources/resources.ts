/** IngressPlan -> Envoy v3 resources. Pure; equal plans give equal text. */
import type { IngressPlan } from '../../plan/ingress-plan.ts';
import { cluster } from './cluster.ts';
import { hostListener, passage } from './host-listener.ts';
import type { NamedResource } from './json.ts';
import { type ListenAddress, publicListener } from './listener.ts';
import { certificateSecret, trustSecret } from './tls.ts';

export interface EnvoyResources {
  readonly clusters: readonly NamedResource[];
  /** None when the plan serves nothing, else one of each FQDN, and the public one last. */
  readonly listeners: readonly NamedResource[];
  /** Exactly those the listeners refer to. */
  readonly secrets: readonly NamedResource[];
}

export function envoyResources({ hosts, trusts, internal }: IngressPlan, address: ListenAddress): EnvoyResources {
  const used = new Set(hosts.flatMap((host) => (host.kind === 'db' ? [host.trust] : [])));
  return {
    clusters: hosts.flatMap((host) => [cluster(host, internal), passage(host.fqdn)]),
    listeners:
      hosts.length === 0 ? [] : [...hosts.map((host) => hostListener(host, address.failures)), publicListener(address)],
    secrets: [...hosts.map(certificateSecret), ...trusts.filter(({ name }) => used.has(name)).map(trustSecret)],
  };
}
