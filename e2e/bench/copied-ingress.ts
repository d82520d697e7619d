/**
 * A second Envoy, equal to the one under measurement: its listener and cluster are read from the running proxy's admin page, and
 * only what has to differ does: its port, where it forwards to, and keys the page rightly withholds.
 */
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { findEnvoy } from '../parts/envoy.ts';
import { type Part, startProcess } from '../parts/process.ts';

type Json = { readonly [name: string]: unknown };

export interface CopyOptions {
  readonly directory: string;
  readonly adminSocket: string;
  readonly fqdn: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly upstreamPort: number;
  readonly server: { readonly certificateFile: string; readonly keyFile: string };
  readonly clientCaFile: string;
  readonly crlFile: string;
  /** PEM of the ingress's own key for the hop to a gateway. */
  readonly upstreamKeyPem: string;
  readonly ready: () => Promise<boolean>;
}

export async function startCopiedIngress(options: CopyOptions): Promise<Part> {
  const dump = await readDump(options.adminSocket);
  const file = join(options.directory, 'copied-ingress.json');
  const bootstrap = {
    node: { id: 'copy', cluster: 'copy' },
    static_resources: {
      listeners: [withoutType(listenerOf(dump, options))],
      clusters: [withoutType(clusterOf(dump, options))],
    },
  };
  writeFileSync(file, JSON.stringify(bootstrap));
  return await startProcess({
    name: 'copied Envoy',
    command: findEnvoy(),
    args: ['-c', file, '--log-level', 'warn', '--use-dynamic-base-id'],
    logFile: join(options.directory, 'copied-ingress.log'),
    ready: options.ready,
  });
}

function readDump(adminSocket: string): Promise<readonly Json[]> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: adminSocket, path: '/config_dump' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        resolve((JSON.parse(Buffer.concat(chunks).toString()) as { configs: Json[] }).configs);
      });
    });
    call.once('error', reject);
    call.end();
  });
}

interface ListenerDump {
  readonly filter_chains: readonly {
    readonly filter_chain_match?: { readonly server_names?: readonly string[] };
    readonly transport_socket: { readonly typed_config: { readonly common_tls_context: Json } };
  }[];
  readonly internal_listener?: Json;
  readonly listener_filters: readonly { readonly name: string }[];
}

/** The listener of the FQDN, with the port that it has not in the proxy, where the public listener leads to it. */
function listenerOf(dump: readonly Json[], options: CopyOptions): Json {
  const all = dump.flatMap(
    (config) => (config['dynamic_listeners'] ?? []) as readonly { active_state?: { listener: ListenerDump } }[],
  );
  const isOf = ({ filter_chains: chains }: ListenerDump): boolean =>
    chains.some(({ filter_chain_match: match }) => match?.server_names?.includes(options.fqdn));
  const found = all.flatMap(({ active_state: state }) => state?.listener ?? []).find(isOf);
  const [chain] = found?.filter_chains ?? [];
  if (!found || !chain) throw new Error(`the ingress serves no ${options.fqdn}`);
  const { internal_listener: _i, listener_filters: filters, ...listener } = found;
  const {
    tls_certificate_sds_secret_configs: _c,
    validation_context_sds_secret_config: _v,
    ...common
  } = chain.transport_socket.typed_config.common_tls_context;
  const tls = {
    ...common,
    tls_certificates: [
      {
        certificate_chain: { filename: options.server.certificateFile },
        private_key: { filename: options.server.keyFile },
      },
    ],
    validation_context: { trusted_ca: { filename: options.clientCaFile }, crl: { filename: options.crlFile } },
  };
  return {
    ...listener,
    address: { socket_address: { address: options.listen.host, port_value: options.listen.port } },
    listener_filters: filters.filter(({ name }) => name !== 'envoy.filters.listener.original_dst'),
    filter_chains: [withTls(chain, tls)],
  };
}

interface ClusterDump {
  readonly name: string;
  readonly transport_socket: {
    readonly typed_config: {
      readonly common_tls_context: Json & {
        readonly tls_certificates: readonly { readonly certificate_chain: Json }[];
      };
    };
  };
}

function clusterOf(dump: readonly Json[], options: CopyOptions): Json {
  const all = dump.flatMap(
    (config) => (config['dynamic_active_clusters'] ?? []) as readonly { cluster: ClusterDump }[],
  );
  const cluster = all.find((one) => one.cluster.name === options.fqdn)?.cluster;
  if (!cluster) throw new Error(`the ingress has no cluster ${options.fqdn}`);
  const common = cluster.transport_socket.typed_config.common_tls_context;
  const [identity] = common.tls_certificates;
  if (!identity) throw new Error('the hop to the gateway has no client certificate');
  const address = { socket_address: { address: '127.0.0.1', port_value: options.upstreamPort } };
  const tls = {
    ...common,
    tls_certificates: [
      { certificate_chain: identity.certificate_chain, private_key: { inline_string: options.upstreamKeyPem } },
    ],
  };
  return {
    ...withTls(cluster, tls),
    load_assignment: { cluster_name: options.fqdn, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

function withTls(holder: { readonly transport_socket: { readonly typed_config: Json } }, tls: Json): Json {
  const { transport_socket: socket } = holder;
  return {
    ...holder,
    transport_socket: { ...socket, typed_config: { ...socket.typed_config, common_tls_context: tls } },
  };
}

/** The page says of what type each resource is; a bootstrap file knows by the place. */
function withoutType({ '@type': _type, ...resource }: Json): Json {
  return resource;
}
