/** A real Envoy of a region's cluster: asks the operators' control planes over mutual TLS, with the identity that their Secret holds. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEnvoy } from './envoy.ts';
import type { Kube } from './kube.ts';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

export interface RegionEnvoy extends Part {
  readonly publicPort: number;
  /** Of /stats, by exact name; 0 for one that there is not. */
  stat(name: string): Promise<number>;
  /** When it took the listener of this FQDN last, by its own clock. @throws Error when there is none */
  listenerTakenAt(fqdn: string): Promise<Date>;
  /** Names of the secrets that it holds (config dump), its own for the control plane left out. */
  secrets(): Promise<readonly string[]>;
}

export interface RegionEnvoyOptions {
  readonly kube: Kube;
  /** Of the operators. */
  readonly namespace: string;
  readonly controlPorts: readonly number[];
  readonly publicPort: number;
  readonly directory: string;
}

const identityNames = { certificate: 'control-plane-identity', trust: 'control-plane-trust' } as const;
const serverName = 'control.drimbox.internal';
type Json = Record<string, unknown>;

/** The Secret that a proxy's pod mounts. @throws Error when it does not come within a minute */
async function mountIdentity({ kube, namespace, directory }: RegionEnvoyOptions): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const path = `/api/v1/namespaces/${namespace}/secrets/drimbox-ingress-control`;
    const { status, body } = await kube.request('GET', path);
    if (status === 200) {
      for (const [name, text] of Object.entries(body['data'] as Record<string, string>))
        writeFileSync(join(directory, name), Buffer.from(text, 'base64'), { mode: 0o600 });
      return;
    }
    await sleep(100);
  }
  throw new Error('no operator wrote the Secret drimbox-ingress-control within a minute');
}

export async function startRegionEnvoy(options: RegionEnvoyOptions): Promise<RegionEnvoy> {
  const { directory, controlPorts, publicPort } = options;
  mkdirSync(directory, { recursive: true });
  await mountIdentity(options);
  const adminPort = await freePort();
  const file = join(directory, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(bootstrap(directory, controlPorts, adminPort)));
  const admin = `http://127.0.0.1:${adminPort}`;
  const part = await startProcess({
    name: 'envoy',
    command: findEnvoy(),
    // Chains that went keep their secrets while they drain; ten minutes unless told.
    args: [
      '-c',
      file,
      '--service-node',
      'proxy-1',
      '--drain-time-s',
      '2',
      '--disable-hot-restart',
      '--log-level',
      'warning',
    ],
    logFile: join(directory, 'envoy.log'),
    ready: async () => (await fetch(`${admin}/stats?filter=^server.live$`)).ok,
  });
  return Object.assign(part, {
    publicPort,
    async stat(name: string) {
      const text = await (await fetch(`${admin}/stats?filter=${encodeURIComponent(`^${name}$`)}`)).text();
      return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
    },
    async listenerTakenAt(fqdn: string) {
      const name = `host/${fqdn}`;
      const asked = `resource=dynamic_listeners&name_regex=${encodeURIComponent(`^${name}$`)}`;
      const dump = (await (await fetch(`${admin}/config_dump?${asked}`)).json()) as {
        readonly configs?: readonly { readonly active_state?: { readonly last_updated: string } }[];
      };
      const taken = dump.configs?.[0]?.active_state?.last_updated;
      if (taken === undefined) throw new Error(`Envoy has no listener ${name}`);
      return new Date(taken);
    },
    async secrets() {
      const dump = (await (await fetch(`${admin}/config_dump?resource=dynamic_active_secrets`)).json()) as {
        readonly configs?: readonly { readonly name: string }[];
      };
      const own = new Set<string>(Object.values(identityNames));
      return (dump.configs ?? []).map(({ name }) => name).filter((name) => !own.has(name));
    },
  });
}

/** What the control plane counts on in a proxy. */
function asInChart(): Json {
  const file = join(import.meta.dirname, '../../charts/drimbox/files/envoy/bootstrap.json');
  const text = readFileSync(file, 'utf8').replaceAll(/\{\{[^}]*\}\}/g, '1'); // numbers of values.yaml
  const { node, bootstrap_extensions, layered_runtime, deferred_stat_options } = JSON.parse(text) as Json;
  return { node, bootstrap_extensions, layered_runtime, deferred_stat_options };
}

function bootstrap(directory: string, controlPorts: readonly number[], adminPort: number): Json {
  const at = (port: number): Json => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const ads = { ads: {}, resource_api_version: 'V3' };
  const typed = (type: string, fields: Json): Json => ({ '@type': `type.googleapis.com/${type}`, ...fields });
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const tls = typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
      tls_certificates: [
        {
          certificate_chain: { filename: join(directory, 'tls.crt') },
          private_key: { filename: join(directory, 'tls.key') },
        },
      ],
      validation_context: {
        trusted_ca: { filename: join(directory, 'ca.crt') },
        match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: serverName } }],
      },
      alpn_protocols: ['h2'],
    },
    sni: serverName,
  });
  return {
    ...asInChart(),
    admin: { address: at(adminPort) },
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'control-plane' } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: {
      clusters: [
        {
          name: 'control-plane',
          type: 'STATIC',
          connect_timeout: '2s',
          transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: tls },
          load_assignment: {
            cluster_name: 'control-plane',
            endpoints: [{ lb_endpoints: controlPorts.map((port) => ({ endpoint: { address: at(port) } })) }],
          },
          typed_extension_protocol_options: {
            [options]: typed(options, {
              explicit_http_config: {
                http2_protocol_options: { connection_keepalive: { interval: '5s', timeout: '2s' } },
              },
            }),
          },
        },
      ],
    },
  };
}
