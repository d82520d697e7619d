/** The study's bytes in memory behind a copy of the ingress: the second half of the reference. */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { DemoSite, NationalServices } from '../demo/world.ts';
import { freePort } from '../parts/ports.ts';
import { type Part, startProcess } from '../parts/process.ts';
import type { GeneratedStudy } from '../parts/studies.ts';
import { startCopiedIngress } from './copied-ingress.ts';
import type { MemoryServerConfig } from './memory-server.ts';
import { internalPair, readSiteConfig } from './site-state.ts';

export interface MemoryReference {
  readonly envoy: Part;
  readonly server: Part;
  /** Of the copied ingress. */
  readonly port: number;
}

export interface MemoryOptions {
  readonly directory: string;
  readonly site: DemoSite;
  readonly study: GeneratedStudy;
  /** The operator's state folder. */
  readonly state: string;
  readonly services: NationalServices;
  /** Where the copied ingress listens. */
  readonly address: string;
  readonly onStop: (stop: () => Promise<unknown>) => void;
}

export async function startMemoryReference(options: MemoryOptions): Promise<MemoryReference> {
  const { directory, site, study, state, services, address, onStop } = options;
  const { server: identity, clientCaFile } = readSiteConfig(state, site.spec.name).listeners.wado.tls;
  const config: MemoryServerConfig = {
    port: await freePort(),
    ...identity,
    clientCaFile,
    files: study.instances.map(({ file, transferSyntaxUid }) => ({ file, transferSyntaxUid })),
  };
  const file = join(directory, 'memory-server.json');
  writeFileSync(file, JSON.stringify(config));
  const server = await startProcess({
    name: 'memory server',
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'memory-server.ts'), file],
    logFile: join(directory, 'memory-server.log'),
    ready: () => accepts('127.0.0.1', config.port),
  });
  onStop(() => server.stop());
  const [link] = site.spec.links;
  if (!link) throw new Error(`site ${site.spec.name} has no PACS`);
  const port = await freePort();
  const envoy = await startCopiedIngress({
    directory,
    adminSocket: join(state, 'ingress', 'admin.sock'),
    fqdn: link.db.fqdn,
    listen: { host: address, port },
    upstreamPort: config.port,
    server: link.db.certificate,
    clientCaFile: services.pki.bundleFile,
    crlFile: services.pki.crlBundleFile,
    upstreamKeyPem: internalPair(state, 'ingress.drimbox.internal').keyPem,
    ready: () => accepts('127.0.0.1', port),
  });
  onStop(() => envoy.stop());
  return { envoy, server, port };
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
