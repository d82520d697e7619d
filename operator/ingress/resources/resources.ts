/** IngressPlan -> Envoy v3 resources. Pure; equal plans give equal text. */
import type { IngressPlan } from '../../plan/ingress-plan.ts';
import { cluster } from './cluster.ts';
import type { NamedResource } from './json.ts';
import { type ListenAddress, listener } from './listener.ts';
import { certificateSecret, trustSecret } from './tls.ts';

export interface EnvoyResources {
  readonly clusters: readonly NamedResource[];
  /** None when the plan serves nothing, else one. */
  readonly listeners: readonly NamedResource[];
  /** Exactly those the listener refers to. */
  readonly secrets: readonly NamedResource[];
}

export function envoyResources({ hosts, trusts, internal }: IngressPlan, address: ListenAddress): EnvoyResources {
  const used = new Set(hosts.flatMap((host) => (host.kind === 'db' ? [host.trust] : [])));
  return {
    clusters: hosts.map((host) => cluster(host, internal)),
    listeners: hosts.length === 0 ? [] : [listener(hosts, address)],
    secrets: [...hosts.map(certificateSecret), ...trusts.filter(({ name }) => used.has(name)).map(trustSecret)],
  };
}
