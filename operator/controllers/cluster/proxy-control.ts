/** The control plane of the cluster's proxies: opened with the first plan, since its certificate comes from the authority. */
import { startIngressControl } from '../../ingress/start-control.ts';
import type { ControlTls, IngressControl, ProxyCount } from '../../ingress/ingress-control.ts';
import type { OperatorJournal } from '../../observability/journal.ts';
import { connectionEvent, proxyEvent } from '../../observability/proxy-event.ts';
import type { IngressPlan } from '../../plan/ingress-plan.ts';
import type { Observations } from '../../plan/observations.ts';
import { sameItems } from '../../plan/remembered.ts';
import { type InternalOutcome, internalNames } from './internal-identities.ts';
import { type PlanDigest, digestOf, nothingPublished } from './plan-digest.ts';

export interface ProxyControl {
  /** @param version of the round that made it: proxies are told it */
  publish(plan: IngressPlan, internal: InternalOutcome, version: string): Promise<void>;
  observe(): Observations['ingress'];
  proxies(): ProxyCount;
  port(): number | undefined;
  /** Of what is published; equal on replicas that serve the same. What `observe` says is of this plan or of one on its way. */
  digest(): PlanDigest;
  stop(): Promise<void>;
}

export interface ProxyControlOptions {
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly listen: { readonly host: string; readonly port: number };
  readonly journal: OperatorJournal;
  readonly onChange: () => void;
}

export function proxyControl(options: ProxyControlOptions): ProxyControl {
  const { journal } = options;
  let control: IngressControl | undefined;
  let published: IngressPlan | undefined;
  let tls: ControlTls | undefined;
  let digest = nothingPublished;
  return {
    async publish(plan, internal, version) {
      const { certificatePem, keyPem } = internal.leaf(internalNames.control);
      const nextTls = { certificatePem, keyPem, caPem: internal.identities.caPem, clientName: internalNames.proxy };
      control ??= await startIngressControl({
        endpoint: { ...options.endpoint, tls: nextTls },
        listen: options.listen,
        onChange: options.onChange,
        onEvent: (what, fields) => journal.record(proxyEvent(what, fields)),
        onConnectionFailure: (failure, host) => journal.record(connectionEvent(failure, host)),
      });
      if (tls !== undefined && !sameTls(tls, nextTls)) control.replaceTls(nextTls);
      tls = nextTls;
      if (published !== undefined && samePlan(published, plan)) return;
      published = plan;
      await control.apply(plan, version);
      // Only now: told with what proxies said before, it would say that they have what they never saw.
      digest = await digestOf(plan);
    },
    observe: () => control?.observe() ?? new Map(),
    proxies: () => control?.proxies() ?? { connected: 0, acknowledged: 0, synchronised: 0 },
    port: () => control?.port,
    digest: () => digest,
    async stop() {
      await control?.stop();
    },
  };
}

function sameTls(a: ControlTls, b: ControlTls): boolean {
  return a.certificatePem === b.certificatePem && a.caPem === b.caPem;
}

/** Entries that did not change are the very same objects (plan/remembered.ts). */
function samePlan(a: IngressPlan, b: IngressPlan): boolean {
  return (
    sameItems(a.hosts, b.hosts) &&
    sameItems(a.trusts, b.trusts) &&
    a.internal.caPem === b.internal.caPem &&
    a.internal.identity.certificatePem === b.internal.identity.certificatePem
  );
}
