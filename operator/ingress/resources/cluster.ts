/** One cluster per FQDN: the gateway's listener behind it. */
import { isIP } from 'node:net';
import type { IngressHost, IngressPlan } from '../../plan/ingress-plan.ts';
import { type NamedResource, typed } from './json.ts';
import { seriesName } from './names.ts';
import { upstreamTls } from './tls.ts';

/** Enough to keep a fast link busy, and a bound per connection. */
export const bufferBytes = 262_144;

export function cluster(host: IngressHost, internal: IngressPlan['internal']): NamedResource {
  const { fqdn, upstream, limits } = host;
  const address = { socket_address: { address: upstream.host, port_value: upstream.port } };
  return {
    name: fqdn,
    alt_stat_name: seriesName(fqdn),
    // A name stands for one gateway, whatever the number of its addresses: the one that answers is used.
    ...(isIP(upstream.host) === 0 ? { type: 'LOGICAL_DNS', dns_lookup_family: 'ALL' } : { type: 'STATIC' }),
    connect_timeout: '5s',
    per_connection_buffer_limit_bytes: bufferBytes,
    load_assignment: { cluster_name: fqdn, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    circuit_breakers: {
      thresholds: [
        {
          max_connections: limits.maxRequests,
          max_pending_requests: limits.maxRequests,
          max_requests: limits.maxRequests,
          max_retries: 0,
        },
      ],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        {
          // Shorter than the gateway's own 5 s, else a request meets a connection being closed, and is not repeated.
          // And none outlives a gateway's goodbye (pod.ts, 5 s, of which nodes need some to hear of it): one that ends gets no
          // request over a connection that others kept busy, while another gateway of the site would take it. An answer under
          // way ends first.
          common_http_protocol_options: { idle_timeout: '3s', max_connection_duration: '3s' },
          explicit_http_config: { http_protocol_options: {} },
        },
      ),
    },
    transport_socket: upstreamTls(host, internal),
  };
}
