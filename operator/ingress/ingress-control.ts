/** What turns an IngressPlan into what proxies serve, wherever they run: a host with one Envoy, or a cluster with several. */
import type { IngressHost, IngressPlan } from '../plan/ingress-plan.ts';
import type { IngressObservation } from '../plan/observations.ts';
import type { ConnectionFailure } from './access-log.ts';
import type { ListenAddress } from './resources/listener.ts';

/** Mutual TLS of the control plane: who reaches it reads every private key of the plan. All PEM. */
export interface ControlTls {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Authorities of the proxies' certificates, old and new during a rotation. */
  readonly caPem: string;
  /** DNS SAN that a proxy's certificate must have: the same authority also issues the gateways' certificates. */
  readonly clientName: string;
}

/** A Unix socket in a folder of mode 0700, or TCP with mutual TLS; port 0 takes a free one. */
export type ControlEndpoint =
  { readonly socket: string } | { readonly host: string; readonly port: number; readonly tls: ControlTls };

export interface IngressControlOptions {
  /** Where proxies find their configuration. */
  readonly endpoint: ControlEndpoint;
  /** Where the proxies' public listener binds. */
  readonly listen: ListenAddress;
  /** Asks this binary whether it would take a change before a proxy is asked; absent: a proxy's refusal alone protects. */
  readonly preflight?: { readonly binary: string; readonly folder: string };
  /** What was refused is tried again after this, ms (default 60 000): a port may have become free. */
  readonly retryMs?: number;
  /** What a former control said last to `onAccepted`: a change that a proxy refuses then still leaves the settings before it in force. */
  readonly accepted?: IngressPlan;
  /** What all proxies took, after each change; of changes that come while it is told only the last. */
  readonly onAccepted?: (plan: IngressPlan) => Promise<void>;
  /** Told when `observe` would answer differently. */
  readonly onChange: () => void;
  /** A connection that never became a session; `host` is the FQDN it asked for, when we serve it. For a `db` one it is E1101. */
  readonly onConnectionFailure: (failure: ConnectionFailure, host?: IngressHost) => void;
  readonly onEvent: (what: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface ProxyCount {
  /** Streams open now. */
  readonly connected: number;
  /** Those of them that hold all that is published now. */
  readonly acknowledged: number;
}

export interface IngressControl {
  /**
   * Makes the proxies serve exactly this plan; settles when it is published, not when it is acknowledged.
   * @param version told to the proxies with what they get (`system_version_info`): the trace of the round that made it
   */
  apply(plan: IngressPlan, version?: string): Promise<void>;
  /**
   * PacsLink (`NAMESPACE/NAME`) to what the proxies said of it: `Programmed` when all that are connected acknowledged it,
   * `NoProxyConnected` when none is.
   */
  observe(): ReadonlyMap<string, IngressObservation>;
  proxies(): ProxyCount;
  /** TCP port it listens on; undefined on a Unix socket. */
  readonly port: number | undefined;
  /** For connections from now on; those that are open go on. @throws Error on a Unix socket, or when the PEM is unusable */
  replaceTls(tls: ControlTls): void;
  /** Closes the control plane; proxies go on with what they have. Settles when nothing of it is under way. */
  stop(): Promise<void>;
}
