/** The one public listener: a filter chain per FQDN, chosen by SNI. No default chain: an unknown name is closed. */
import type { IngressHost } from '../../plan/ingress-plan.ts';
import { bufferBytes } from './cluster.ts';
import { type FailureLog, failedConnections } from './connection-log.ts';
import { connectionManager } from './http.ts';
import { type JsonObject, type NamedResource, extension } from './json.ts';
import { listenerName } from './names.ts';
import { downstreamTls } from './tls.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Where connections that fail are told; to the operator's stream unless said. */
  readonly failures?: FailureLog;
}

/** @param hosts sorted by fqdn, at least one: Envoy refuses a listener without chains */
export function listener(hosts: readonly IngressHost[], address: ListenAddress): NamedResource {
  return { ...listenerFrame(address), filter_chains: hosts.map(chain) };
}

/**
 * All but the chains. Nothing here may depend on the plan: any difference drains every connection, one in a chain drains that
 * chain's (operator-anchors C.4).
 */
export function listenerFrame(address: ListenAddress): NamedResource {
  return {
    name: listenerName,
    address: { socket_address: { address: address.host, port_value: address.port } },
    per_connection_buffer_limit_bytes: bufferBytes,
    // Two proxies sharing a port would each get half of the calls; so the second one is refused and says so.
    enable_reuse_port: false,
    listener_filters: [
      extension(
        'envoy.filters.listener.tls_inspector',
        'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
      ),
    ],
    listener_filters_timeout: '10s',
    access_log: failedConnections(address.failures),
  };
}

export function chain(host: IngressHost): JsonObject {
  return {
    name: host.fqdn,
    filter_chain_match: { server_names: [host.fqdn], transport_protocol: 'tls' },
    transport_socket: downstreamTls(host),
    transport_socket_connect_timeout: '10s',
    filters: [
      // Refills far above what peers do, far below what a loop does: one address can't keep the CPU in handshakes.
      extension(
        'envoy.filters.network.local_ratelimit',
        'envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit',
        {
          stat_prefix: host.fqdn,
          token_bucket: {
            max_tokens: host.limits.maxConnections,
            tokens_per_fill: host.limits.maxConnections,
            fill_interval: '1s',
          },
        },
      ),
      extension(
        'envoy.filters.network.connection_limit',
        'envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit',
        { stat_prefix: host.fqdn, max_connections: host.limits.maxConnections },
      ),
      connectionManager(host),
    ],
  };
}
