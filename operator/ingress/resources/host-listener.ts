/** The listener of one FQDN, within the proxy: TLS, limits and HTTP of this name alone. Reached by its passage and no other way. */
import type { IngressHost } from '../../plan/ingress-plan.ts';
import { bufferBytes } from './cluster.ts';
import { type FailureLog, failedConnections } from './connection-log.ts';
import { connectionManager } from './http.ts';
import { type JsonObject, type NamedResource, extension } from './json.ts';
import { tlsInspector } from './listener.ts';
import { hostListenerName, passageName, seriesName } from './names.ts';
import { downstreamTls } from './tls.ts';

/**
 * A resource of its own: what is wrong with it stops no other, and it waits for its own secrets alone. A difference in its chain
 * drains this FQDN's connections, and so does one in the rest of it.
 */
export function hostListener(host: IngressHost, failures: FailureLog | undefined): NamedResource {
  return {
    name: hostListenerName(host.fqdn),
    internal_listener: {},
    // Counted together: by name each would have metrics of its own.
    stat_prefix: 'host',
    per_connection_buffer_limit_bytes: bufferBytes,
    // Counted where they come in from outside.
    ignore_global_conn_limit: true,
    listener_filters: [
      // Takes over the address of the peer, which the public listener passes on.
      extension('envoy.filters.listener.original_dst', 'envoy.extensions.filters.listener.original_dst.v3.OriginalDst'),
      tlsInspector,
    ],
    listener_filters_timeout: '10s',
    access_log: failedConnections(failures),
    filter_chains: [chain(host)],
  };
}

function chain(host: IngressHost): JsonObject {
  return {
    name: host.fqdn,
    // It is led here by the same name; said again, so that it does not hang on the passage alone.
    filter_chain_match: { server_names: [host.fqdn], transport_protocol: 'tls' },
    transport_socket: downstreamTls(host),
    transport_socket_connect_timeout: '10s',
    filters: [
      // Refills far above what peers do, far below what a loop does: one address can't keep the CPU in handshakes.
      extension(
        'envoy.filters.network.local_ratelimit',
        'envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit',
        {
          stat_prefix: seriesName(host.fqdn),
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
        { stat_prefix: seriesName(host.fqdn), max_connections: host.limits.maxConnections },
      ),
      connectionManager(host),
    ],
  };
}

/** As many as the FQDN's own limit lets in: Envoy's defaults would be a second, lower one. */
const unlimited = 1_000_000;

/** Leads to it, within the process: no socket, no copy of what passes. */
export function passage(fqdn: string): NamedResource {
  const address = { envoy_internal_address: { server_listener_name: hostListenerName(fqdn) } };
  return {
    name: passageName(fqdn),
    alt_stat_name: seriesName(passageName(fqdn)),
    type: 'STATIC',
    connect_timeout: '5s',
    per_connection_buffer_limit_bytes: bufferBytes,
    load_assignment: { cluster_name: passageName(fqdn), endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    circuit_breakers: { thresholds: [{ max_connections: unlimited, max_pending_requests: unlimited }] },
    transport_socket: extension(
      'envoy.transport_sockets.internal_upstream',
      'envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport',
      {
        transport_socket: extension(
          'envoy.transport_sockets.raw_buffer',
          'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer',
        ),
      },
    ),
  };
}
