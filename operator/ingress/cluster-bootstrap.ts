/**
 * What Envoy is started with in a cluster: the control plane by name and mutual TLS, its own certificate from files that may change
 * under it, an admin page for its own pod alone, and a listener of its own for probes and metrics. The node's id comes from
 * `--service-node`, for all pods share these files.
 */
import {
  type BootstrapOptions,
  controlPlane,
  deferredStats,
  dynamicResources,
  node,
  overload,
  withinProcess,
} from './bootstrap.ts';
import { type JsonObject, type JsonValue, extension, typed } from './resources/json.ts';

export interface ClusterBootstrapOptions extends Pick<BootstrapOptions, 'maxHeapBytes' | 'maxConnections'> {
  readonly controlPlane: {
    /** E.g. `drimbox-operator.NAMESPACE.svc`. */
    readonly host: string;
    readonly port: number;
    /** DNS SAN of its certificate. */
    readonly serverName: string;
  };
  /** Absolute folder with tls.crt, tls.key and ca.crt, as a mounted Secret has them: replaced at once by a symbolic link. */
  readonly identityFolder: string;
  /** Absolute folder in which these files lie. */
  readonly configFolder: string;
  readonly adminPort: number;
  /** For `/ready` and `/stats/prometheus`. */
  readonly probe: { readonly host: string; readonly port: number };
}

/** File name to content: bootstrap.json, and the two that it refers to. */
export function clusterBootstrap(options: ClusterBootstrapOptions): Readonly<Record<string, JsonObject>> {
  const { controlPlane: plane, identityFolder: identity } = options;
  const admin = address('127.0.0.1', options.adminPort);
  return {
    'bootstrap.json': {
      node: node(),
      admin: { address: admin },
      dynamic_resources: dynamicResources,
      static_resources: {
        listeners: [probeListener(options.probe)],
        clusters: [
          controlPlane(
            { type: 'STRICT_DNS', dns_lookup_family: 'V4_PREFERRED', transport_socket: controlTls(options) },
            address(plane.host, plane.port),
          ),
          {
            name: adminCluster,
            type: 'STATIC',
            connect_timeout: '1s',
            load_assignment: {
              cluster_name: adminCluster,
              endpoints: [{ lb_endpoints: [{ endpoint: { address: admin } }] }],
            },
          },
        ],
      },
      overload_manager: overload(options),
      ...withinProcess,
      ...deferredStats,
    },
    [certificateFile]: secretFile(certificateSecret, {
      tls_certificate: {
        certificate_chain: { filename: `${identity}/tls.crt` },
        private_key: { filename: `${identity}/tls.key` },
        watched_directory: { path: identity },
      },
    }),
    [trustFile]: secretFile(trustSecret, {
      validation_context: {
        trusted_ca: { filename: `${identity}/ca.crt` },
        watched_directory: { path: identity },
        match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: plane.serverName } }],
      },
    }),
  };
}

const adminCluster = 'admin';
const [certificateSecret, trustSecret] = ['control-plane-identity', 'control-plane-trust'];
const [certificateFile, trustFile] = ['identity.json', 'trust.json'];

function address(host: string, port: number): JsonObject {
  return { socket_address: { address: host, port_value: port } };
}

/** Files are watched only when they come by SDS, also from a file (tls/v3/common.proto, `watched_directory`). */
function controlTls({ controlPlane: plane, configFolder }: ClusterBootstrapOptions): JsonObject {
  const from = (name: string, file: string): JsonObject => ({
    name,
    sds_config: { path_config_source: { path: `${configFolder}/${file}` }, resource_api_version: 'V3' },
  });
  return extension('envoy.transport_sockets.tls', 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
      tls_certificate_sds_secret_configs: [from(certificateSecret, certificateFile)],
      validation_context_sds_secret_config: from(trustSecret, trustFile),
      alpn_protocols: ['h2'],
    },
    sni: plane.serverName,
    max_session_keys: 0,
  });
}

function secretFile(name: string, content: JsonObject): JsonObject {
  return { resources: [typed('envoy.extensions.transport_sockets.tls.v3.Secret', { name, ...content })] };
}

/** Answers also when the proxy sheds load: else it would be ended for being busy. */
function probeListener(at: { readonly host: string; readonly port: number }): JsonObject {
  const route = (path: string): JsonValue => ({ match: { path }, route: { cluster: adminCluster } });
  return {
    name: 'probe',
    address: address(at.host, at.port),
    bypass_overload_manager: true,
    ignore_global_conn_limit: true,
    filter_chains: [
      {
        filters: [
          extension(
            'envoy.filters.network.http_connection_manager',
            'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
            {
              stat_prefix: 'probe',
              codec_type: 'HTTP1',
              normalize_path: true,
              path_with_escaped_slashes_action: 'REJECT_REQUEST',
              route_config: {
                virtual_hosts: [
                  { name: 'probe', domains: ['*'], routes: [route('/ready'), route('/stats/prometheus')] },
                ],
              },
              http_filters: [extension('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router')],
            },
          ),
        ],
      },
    ],
  };
}
