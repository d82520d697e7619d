/** HTTP on one FQDN: who is told to the gateway, what is refused, how long things may take. */
import type { IngressHost, ViHost } from '../../plan/ingress-plan.ts';
import { type JsonObject, extension } from './json.ts';
import { seriesName } from './names.ts';

/** A client may not say these about itself; the ingress says what is true in x-forwarded-for and x-forwarded-proto. */
const neverFromOutside = [
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
];

export function connectionManager(host: IngressHost): JsonObject {
  return extension(
    'envoy.filters.network.http_connection_manager',
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: seriesName(host.fqdn),
      ...(host.kind === 'db' ? wado : viewer),
      common_http_protocol_options: {
        idle_timeout: '120s',
        max_headers_count: 100,
        headers_with_underscores_action: 'REJECT_REQUEST',
        // A revoked client keeps the connection it has: this bounds how long (operator-anchors C.4). Answers under way finish.
        ...(host.kind === 'db' && { max_connection_duration: '900s' }),
      },
      max_request_headers_kb: 24,
      request_headers_timeout: '10s',
      request_timeout: '60s',
      // Silence, not duration: a PACS may take a minute before the first image, a long series may take an hour.
      stream_idle_timeout: '300s',
      // What is left of an answer when a chain goes: ask the other end to go, then close.
      drain_timeout: '5s',
      use_remote_address: true,
      normalize_path: true,
      merge_slashes: true,
      path_with_escaped_slashes_action: 'REJECT_REQUEST',
      server_header_transformation: 'PASS_THROUGH',
      route_config: routes(host),
      http_filters: [
        ...(host.kind === 'vi' ? [probesOnly(host)] : []),
        extension('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router', {
          suppress_envoy_headers: true,
        }),
      ],
    },
  );
}

/** WADO-RS: the certificate just verified replaces whatever the client said of itself. */
const wado: JsonObject = {
  codec_type: 'HTTP1',
  forward_client_cert_details: 'SANITIZE_SET',
  // The certificate too: serial and issuer stand in it, and the audit names them.
  set_current_client_cert_details: { subject: true, cert: true },
};

/** Viewer: nobody has a certificate, so the header says nothing and goes. */
const viewer: JsonObject = {
  codec_type: 'AUTO',
  forward_client_cert_details: 'SANITIZE',
  http2_protocol_options: {
    max_concurrent_streams: 100,
    // Images on a link of 100 Mbit/s and 100 ms round trip need more than the 64 KiB of the default.
    initial_stream_window_size: 4_194_304,
    initial_connection_window_size: 16_777_216,
  },
};

/** Only this FQDN: a connection opened for another must not reach here without this one's handshake. */
function routes({ fqdn }: IngressHost): JsonObject {
  return {
    name: fqdn,
    validate_clusters: false, // clusters come before, and one that was refused must not refuse the listener
    request_headers_to_remove: neverFromOutside,
    virtual_hosts: [
      {
        name: fqdn,
        domains: [fqdn, `${fqdn}:*`],
        routes: [{ match: { prefix: '/' }, route: { cluster: fqdn, timeout: '0s' } }],
      },
      // RFC 9110 §15.5.20: tells a client that coalesced connections to open another one.
      {
        name: 'misdirected',
        domains: ['*'],
        routes: [{ match: { prefix: '/' }, direct_response: { status: 421 } }],
      },
    ],
  };
}

/** Healthchecks are for the listed probes only (ci-sis §11: source addresses of the weather service). */
function probesOnly({ probeCidrs }: ViHost): JsonObject {
  const probes = probeCidrs.map((cidr) => ({ remote_ip: range(cidr) }));
  const strangers = probes.length === 0 ? { any: true } : { not_id: { or_ids: { ids: probes } } };
  const under = { url_path: { path: { prefix: '/healthcheck', ignore_case: true } } };
  return extension('envoy.filters.http.rbac', 'envoy.extensions.filters.http.rbac.v3.RBAC', {
    rules: { action: 'DENY', policies: { healthcheck: { permissions: [under], principals: [strangers] } } },
  });
}

function range(cidr: string): JsonObject {
  const [address = '', length] = cidr.split('/');
  return {
    address_prefix: address,
    prefix_len: length === undefined ? (address.includes(':') ? 128 : 32) : Number(length),
  };
}
