/**
 * The one public listener: reads the name asked for (SNI), and hands the connection to the listener of that FQDN within the proxy
 * (host-listener.ts), TLS untouched. It knows no FQDN: the name itself says which cluster leads there, and where there is none the
 * connection is closed. So no change of the plan changes it, and each change is as large as what it concerns (decision 12).
 */
import { bufferBytes } from './cluster.ts';
import { type FailureLog, failedConnections } from './connection-log.ts';
import { type NamedResource, extension } from './json.ts';
import { listenerName, passageName } from './names.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Where connections that fail are told; to the operator's stream unless said. */
  readonly failures?: FailureLog;
}

export const tlsInspector = extension(
  'envoy.filters.listener.tls_inspector',
  'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
);

/** Nothing here may depend on the plan: any difference drains every connection (operator-anchors C.4). */
export function publicListener(address: ListenAddress): NamedResource {
  return {
    name: listenerName,
    address: { socket_address: { address: address.host, port_value: address.port } },
    per_connection_buffer_limit_bytes: bufferBytes,
    // Two proxies sharing a port would each get half of the calls; so the second one is refused and says so.
    enable_reuse_port: false,
    listener_filters: [tlsInspector],
    listener_filters_timeout: '10s',
    access_log: failedConnections(address.failures),
    filter_chains: [{ name: listenerName, filter_chain_match: { transport_protocol: 'tls' }, filters: [mark, pass] }],
  };
}

/** Where it goes, and whence it came: the listener within takes the peer's address as its own (`original_dst`). */
const mark = extension(
  'envoy.filters.network.set_filter_state',
  'envoy.extensions.filters.network.set_filter_state.v3.Config',
  {
    on_new_connection: [
      {
        object_key: 'envoy.tcp_proxy.cluster',
        format_string: { text_format_source: { inline_string: passageName('%REQUESTED_SERVER_NAME%') } },
      },
      {
        object_key: 'envoy.filters.listener.original_dst.remote_ip',
        format_string: { text_format_source: { inline_string: '%DOWNSTREAM_REMOTE_ADDRESS%' } },
        shared_with_upstream: 'ONCE',
      },
    ],
  },
);

const pass = extension('envoy.filters.network.tcp_proxy', 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', {
  stat_prefix: listenerName,
  // Required, and never used: the name above goes before it.
  cluster: passageName(''),
  // The listener within knows how long each FQDN may be silent.
  idle_timeout: '0s',
});
