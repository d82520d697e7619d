/** TLS on both sides of the ingress. */
import type { ClientTrust, IngressHost, IngressPlan } from '../../plan/ingress-plan.ts';
import { type JsonObject, type NamedResource, extension } from './json.ts';
import { certificateName, trustName } from './names.ts';

/** TLS 1.3's suites are BoringSSL's own; of TLS 1.2 these four (DMP list EX_0.X-1030 as observed, ci-sis §6.1). */
const cipherSuites = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
];

/**
 * A constant, never to be changed: Envoy keys a secret's provider by its name and by the bytes of this source. Other bytes make
 * a second provider for a name already watched, which nothing ever feeds (operator-anchors C.2, envoy#47309).
 * Timeout 0: without its secret a new listener waits and the former one goes on serving, instead of taking over with no certificate.
 */
const secretSource: JsonObject = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };

export function downstreamTls(host: IngressHost): JsonObject {
  const certificate = { name: certificateName(host.fqdn), sds_config: secretSource };
  const common = {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_2', cipher_suites: cipherSuites },
    tls_certificate_sds_secret_configs: [certificate],
  };
  const type = 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
  // A resumed session would not be checked against a CRL that came since.
  const noResumption = { disable_stateless_session_resumption: true, disable_stateful_session_resumption: true };
  if (host.kind === 'vi')
    return extension('envoy.transport_sockets.tls', type, {
      common_tls_context: { ...common, alpn_protocols: ['h2', 'http/1.1'] },
      ...noResumption,
    });
  return extension('envoy.transport_sockets.tls', type, {
    common_tls_context: {
      ...common,
      validation_context_sds_secret_config: { name: trustName(host.trust), sds_config: secretSource },
      // HTTP/2's windows would bound one download to a window per round trip (architecture 9c).
      alpn_protocols: ['http/1.1'],
    },
    require_client_certificate: true,
    ...noResumption,
  });
}

/** The hop to a gateway: our internal identity, its name. Static, for a cluster waiting for a secret stops all clusters (C.2 b). */
export function upstreamTls({ upstream }: IngressHost, { identity, caPem }: IngressPlan['internal']): JsonObject {
  return extension('envoy.transport_sockets.tls', 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
      tls_certificates: [pair(identity)],
      validation_context: {
        trusted_ca: { inline_string: caPem },
        match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: upstream.serverName } }],
      },
      alpn_protocols: ['http/1.1'],
    },
    sni: upstream.serverName,
    // A certificate that was replaced must not live on in a session.
    max_session_keys: 0,
  });
}

export function certificateSecret(host: IngressHost): NamedResource {
  return { name: certificateName(host.fqdn), tls_certificate: pair(host.identity) };
}

/** Each authority needs its CRL, else nobody passes (C.4); `crl` apart from `trusted_ca`, so that a new CRL counts. */
export function trustSecret({ name, anchorsPem, crlsPem }: ClientTrust): NamedResource {
  return {
    name: trustName(name),
    validation_context: { trusted_ca: { inline_string: anchorsPem }, crl: { inline_string: crlsPem } },
  };
}

function pair({ certificatePem, keyPem }: { readonly certificatePem: string; readonly keyPem: string }): JsonObject {
  return { certificate_chain: { inline_string: certificatePem }, private_key: { inline_string: keyPem } };
}
