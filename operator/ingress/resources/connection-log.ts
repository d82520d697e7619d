/** Which connections are told to the operator: those that never became a session. */
import { type JsonObject, extension } from './json.ts';
import { controlPlaneCluster } from './names.ts';

/**
 * `stream`: to the operator's access log service, lost while it is away. `stream and stdout`: to whoever collects a pod's output as
 * well. A file: to be read by an operator of the same host, also after it was away.
 */
export type FailureLog = 'stream' | 'stream and stdout' | { readonly file: string };

/** One line of a log as text. */
export interface FailureLine {
  readonly at: string;
  readonly connection: string;
  readonly peer: string;
  readonly name: string;
  readonly handshake: string;
  readonly end: string;
  readonly flags: string;
}

const line: Readonly<Record<keyof FailureLine, string>> = {
  at: '%START_TIME%',
  connection: '%CONNECTION_ID%',
  peer: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
  name: '%REQUESTED_SERVER_NAME%',
  handshake: '%DOWNSTREAM_TRANSPORT_FAILURE_REASON%',
  end: '%CONNECTION_TERMINATION_DETAILS%',
  flags: '%RESPONSE_FLAGS%',
};

/** Set when the handshake failed; NR without TLS, NC or UF when no listener has the name asked for. */
const failed: JsonObject = {
  extension_filter: extension(
    'envoy.access_loggers.extension_filters.cel',
    'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter',
    { expression: 'connection.transport_failure_reason != "" || response.flags != 0' },
  ),
};

const toStream = extension(
  'envoy.access_loggers.tcp_grpc',
  'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig',
  {
    common_config: {
      log_name: 'connections',
      transport_api_version: 'V3',
      grpc_service: { envoy_grpc: { cluster_name: controlPlaneCluster } },
      buffer_flush_interval: '1s',
    },
  },
);

const asText: JsonObject = { log_format: { json_format: line } };

export function failedConnections(log: FailureLog = 'stream'): readonly JsonObject[] {
  if (typeof log === 'object')
    return [
      {
        ...extension('envoy.access_loggers.file', 'envoy.extensions.access_loggers.file.v3.FileAccessLog', {
          path: log.file,
          ...asText,
        }),
        filter: failed,
      },
    ];
  const toStdout = extension(
    'envoy.access_loggers.stdout',
    'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
    asText,
  );
  return [toStream, ...(log === 'stream' ? [] : [toStdout])].map((logger) => ({ ...logger, filter: failed }));
}
