/** One gateway by itself, ending TLS itself: for scenarios that start and kill it many times. One of several, where they share a database. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleConfig } from '../../common/contract/example-config.ts';
import { gatewayNodeOptions } from '../../common/contract/gateway-command.ts';
import type { GatewayConfig, PacsConfig, PostgresConfig } from '../../common/contract/gateway-config.ts';
import type { GatewayStatus } from '../../common/contract/gateway-status.ts';
import type { Issued, Pki } from './pki.ts';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

const root = join(import.meta.dirname, '../..');

export interface GatewaySpec {
  readonly directory: string;
  readonly pki: Pki;
  readonly server: Issued;
  readonly authentication: Issued;
  readonly signature: Issued;
  readonly introspection: { readonly url: string; readonly client: Issued; readonly clientId: string };
  readonly whitelistFile: string;
  readonly dmpUrl: string;
  readonly structureId: string;
  readonly pacs: readonly (Partial<PacsConfig> &
    Pick<PacsConfig, 'name' | 'host' | 'port' | 'aeTitle' | 'aeTitlePool' | 'wadoFqdn'>)[];
  readonly sendingApplication: string;
  readonly dimsePort: number;
  /** Which of several this is, and the database they share. */
  readonly shared?: { readonly postgres: PostgresConfig; readonly index: number; readonly replicas: number };
}

export interface GatewayPart {
  readonly config: GatewayConfig;
  readonly configFile: string;
  /** @param plugFile see scenarios/pull-the-plug.ts */
  start(plugFile?: string): Promise<Part>;
  status(): Promise<GatewayStatus>;
  page(path: string, method?: string): Promise<string>;
}

/** Writes the configuration; ports are chosen once, so that a restart listens where the last life did. */
export async function prepareGateway(spec: GatewaySpec): Promise<GatewayPart> {
  mkdirSync(spec.directory, { recursive: true });
  const [template] = exampleConfig.pacs;
  if (!template) throw new Error('the example has a PACS');
  const pair = (issued: Issued): { certificateFile: string; keyFile: string } => ({
    certificateFile: issued.certificateFile,
    keyFile: issued.keyFile,
  });
  const tls = {
    mode: 'direct',
    server: pair(spec.server),
    clientCaFile: spec.pki.bundleFile,
    crlFile: spec.pki.crlBundleFile,
  } as const;
  const at = async (): Promise<{ host: string; port: number }> => ({ host: '127.0.0.1', port: await freePort() });
  const config: GatewayConfig = {
    ...exampleConfig,
    site: { ...exampleConfig.site, structureId: spec.structureId },
    listeners: {
      mllp: { ...(await at()), maxMessageBytes: 16_777_216 },
      dimse: { host: '127.0.0.1', port: spec.dimsePort },
      wado: { ...(await at()), tls },
      viewer: { ...(await at()), tls },
      admin: await at(),
    },
    ris: [{ name: 'ris', sendingApplication: spec.sendingApplication, pacs: spec.pacs.map(({ name }) => name) }],
    pacs: spec.pacs.map((pacs) => ({
      ...template,
      maxConcurrentMoves: pacs.aeTitlePool.length,
      responseTimeoutMs: 10_000,
      connectTimeoutMs: 2_000,
      ...pacs,
    })),
    dmp: {
      ...exampleConfig.dmp,
      url: spec.dmpUrl,
      trustFile: spec.pki.bundleFile,
      structures: [
        { structureId: spec.structureId, authentication: pair(spec.authentication), signature: pair(spec.signature) },
      ],
      retry: { initialMs: 200, maximumMs: 1_000 },
    },
    introspection: {
      mode: 'rfc7662',
      url: spec.introspection.url,
      trustFile: spec.pki.bundleFile,
      client: pair(spec.introspection.client),
      clientId: spec.introspection.clientId,
      timeoutMs: 5_000,
    },
    whitelist: {
      file: spec.whitelistFile,
      anchorsFile: spec.pki.bundleFile,
      crlFile: spec.pki.crlBundleFile,
      requireRevocation: true,
      signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' },
    },
    storage: {
      directory: join(spec.directory, 'data'),
      ...(spec.shared && { postgres: spec.shared.postgres }),
    },
    ...(spec.shared && { replicas: spec.shared.replicas }),
  };
  const configFile = join(spec.directory, 'config.json');
  writeFileSync(configFile, JSON.stringify(config, null, 2));
  const page = async (path: string, method = 'GET'): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${config.listeners.admin.port}${path}`, { method });
    return await response.text();
  };
  return {
    config,
    configFile,
    page,
    status: async () => JSON.parse(await page('/status')) as GatewayStatus,
    start: (plugFile) =>
      startProcess({
        name: 'gateway',
        command: process.execPath,
        args: [
          ...gatewayNodeOptions,
          ...(plugFile === undefined ? [] : ['--import', join(root, 'e2e/scenarios/pull-the-plug.ts')]),
          join(root, 'gateway/main.ts'),
          '--config',
          configFile,
        ],
        env: {
          ...(plugFile !== undefined && { PLUG_FILE: plugFile }),
          ...(spec.shared && { POD_INDEX: String(spec.shared.index) }),
        },
        logFile: join(spec.directory, 'gateway.log'),
        ready: async () => (await page('/livez')).includes('UP'),
      }),
  };
}
