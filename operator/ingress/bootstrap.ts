/** What Envoy is started with: where its configuration comes from, its own limits, and its admin page behind a socket of ours. */
import { type JsonObject, extension, typed } from './resources/json.ts';
import { controlPlaneCluster } from './resources/names.ts';

export interface BootstrapOptions {
  readonly nodeId: string;
  /** Unix sockets in a folder that only our user can enter: who reaches them reads every private key. */
  readonly controlPlaneSocket: string;
  readonly adminSocket: string;
  /** Bytes of heap at which Envoy sheds load. */
  readonly maxHeapBytes: number;
  /** Connections at once, all FQDNs together; below half of the file descriptors. */
  readonly maxConnections: number;
}

const nodeCluster = 'drimbox-ingress';

/** What the control plane counts on in the bootstrap of a proxy; another number when it counts on something else. */
export const generation = '2';

/** @param id absent where `--service-node` says it */
export function node(id?: string): JsonObject {
  return { ...(id !== undefined && { id }), cluster: nodeCluster, metadata: { generation } };
}

/**
 * Waits for its configuration however long it takes: a proxy that gave up after Envoy's 15 s would call itself ready without its public
 * listener, and be sent connections that it refuses.
 */
const ads = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };

export const dynamicResources: JsonObject = {
  ads_config: {
    api_type: 'DELTA_GRPC',
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: controlPlaneCluster } }],
  },
  cds_config: ads,
  lds_config: ads,
};

/**
 * Listeners within the process (resources/host-listener.ts), and what one of their connections may hold until it is read. One that is
 * closed there looks like a reset to the public listener, which would pass that on at once and lose the end of the last answer
 * (envoy#45190): so resets are not passed on.
 */
export const withinProcess: JsonObject = {
  bootstrap_extensions: [
    extension('envoy.bootstrap.internal_listener', 'envoy.extensions.bootstrap.internal_listener.v3.InternalListener', {
      buffer_size_kb: 256,
    }),
  ],
  layered_runtime: {
    layers: [
      {
        name: 'ends',
        static_layer: { 'envoy.reloadable_features.propagate_upstream_rst_through_tunneled_tcp_proxy': false },
      },
    ],
  },
};

/** Most clusters and listeners of a large region are idle for most of the time: their counters come with their first use. */
export const deferredStats: JsonObject = { deferred_stat_options: { enable_deferred_creation_stats: true } };

export function bootstrap(options: BootstrapOptions): JsonObject {
  return {
    node: node(options.nodeId),
    admin: { address: pipe(options.adminSocket) },
    dynamic_resources: dynamicResources,
    static_resources: { clusters: [controlPlaneOn(options.controlPlaneSocket)] },
    overload_manager: overload(options),
    ...withinProcess,
    ...deferredStats,
  };
}

/** The control plane as a cluster, behind a Unix socket. */
export function controlPlaneOn(socket: string): JsonObject {
  return controlPlane({ type: 'STATIC' }, pipe(socket));
}

/** @param how the fields in which ways to it differ: type of the cluster, transport socket */
export function controlPlane(how: JsonObject, address: JsonObject): JsonObject {
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    name: controlPlaneCluster,
    ...how,
    connect_timeout: '2s',
    load_assignment: {
      cluster_name: controlPlaneCluster,
      endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
    },
    typed_extension_protocol_options: {
      [options]: typed(options, {
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '10s' } },
        },
      }),
    },
  };
}

/** First let go of idle connections, then refuse new work: what runs is finished. */
export function overload({
  maxHeapBytes,
  maxConnections,
}: Pick<BootstrapOptions, 'maxHeapBytes' | 'maxConnections'>): JsonObject {
  const heap = 'envoy.resource_monitors.fixed_heap';
  const at = (value: number): JsonObject => ({ name: heap, threshold: { value } });
  return {
    refresh_interval: '0.25s',
    resource_monitors: [
      extension(heap, 'envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig', {
        max_heap_size_bytes: maxHeapBytes,
      }),
      extension(
        'envoy.resource_monitors.global_downstream_max_connections',
        'envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
        { max_active_downstream_connections: maxConnections },
      ),
    ],
    actions: [
      { name: 'envoy.overload_actions.shrink_heap', triggers: [at(0.9)] },
      { name: 'envoy.overload_actions.disable_http_keepalive', triggers: [at(0.92)] },
      { name: 'envoy.overload_actions.stop_accepting_requests', triggers: [at(0.95)] },
      { name: 'envoy.overload_actions.stop_accepting_connections', triggers: [at(0.97)] },
    ],
  };
}

function pipe(path: string): JsonObject {
  return { pipe: { path, mode: 0o600 } };
}
