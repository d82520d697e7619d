/** What the host asks of whoever turns an IngressPlan into a running proxy (operator/ingress). */
import type { IngressPlan } from '../../plan/ingress-plan.ts';
import type { IngressObservation } from '../../plan/observations.ts';
import type { Supervisor } from './supervisor.ts';

export interface IngressRunner {
  /** Makes the proxy serve exactly this plan; settles when it is published, not when it is acknowledged. */
  apply(plan: IngressPlan): Promise<void>;
  /** PacsLink (`NAMESPACE/NAME`) to what the proxy said of it. */
  observe(): ReadonlyMap<string, IngressObservation>;
  /** Ends the control plane alone: the proxy goes on with what it has. */
  detach(): Promise<void>;
  /** Lets connections finish, then stops the proxy and the control plane. */
  stop(): Promise<void>;
}

export interface IngressContext {
  /** Runs the proxy: `supervisor.ensure({ name: 'envoy', ... })`. */
  readonly supervisor: Supervisor;
  /** Folder of its own for the bootstrap file and logs. */
  readonly folder: string;
  /** Public address and port. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Told when `observe` would answer differently. */
  readonly onChange: () => void;
}

export type EnvoyRunner = (context: IngressContext) => Promise<IngressRunner>;

/** Without a proxy nothing is reachable from outside, and the status says so. */
export function withoutIngress(): IngressRunner {
  let links: readonly string[] = [];
  const message = 'this operator was started without a proxy; only the site itself is reached';
  return {
    apply: async (plan) => {
      links = plan.hosts.map(({ link }) => link);
      await Promise.resolve();
    },
    observe: () => new Map(links.map((link) => [link, { status: 'False', reason: 'NoProxy', message }])),
    detach: async () => await Promise.resolve(),
    stop: async () => await Promise.resolve(),
  };
}
