/** Which connections are told to the operator's access log service: those that never became a session. */
import { type JsonObject, extension } from './json.ts';
import { controlPlaneCluster } from './names.ts';

export const connectionLogName = 'connections';

/** Set when the handshake failed; NR when no chain has the name asked for. */
const failed = 'connection.transport_failure_reason != "" || response.flags != 0';

export const failedConnections: JsonObject = {
  ...extension('envoy.access_loggers.tcp_grpc', 'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig', {
    common_config: {
      log_name: connectionLogName,
      transport_api_version: 'V3',
      grpc_service: { envoy_grpc: { cluster_name: controlPlaneCluster } },
      buffer_flush_interval: '1s',
    },
  }),
  filter: {
    extension_filter: extension(
      'envoy.access_loggers.extension_filters.cel',
      'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter',
      { expression: failed },
    ),
  },
};
