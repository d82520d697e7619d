/** For the tests of this room: a proxy of a cluster, as its pod would run it. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, get as getPlain } from 'node:http';
import { join } from 'node:path';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { freePort } from '../../e2e/parts/ports.ts';
import type { Supervisor } from '../infrastructure/host/supervisor.ts';
import { clusterBootstrap } from './cluster-bootstrap.ts';

/** What a page of the probe listener, or of the admin page behind it, says. */
export async function page(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  const [response] = (await once(getPlain({ host: '127.0.0.1', port, path }), 'response')) as [IncomingMessage];
  let body = '';
  for await (const part of response) body += String(part);
  return { status: response.statusCode ?? 0, body };
}

export interface Proxy {
  readonly name: string;
  readonly probePort: number;
  stat(name: string): Promise<number>;
  /** Where the public listener is. */
  port(): Promise<number>;
}

export interface ProxySite {
  readonly supervisor: Supervisor;
  readonly folder: string;
  readonly identityFolder: string;
  /** The control plane's. */
  readonly xdsPort: number;
  readonly xdsName: string;
  /** Of another bootstrap than today's. */
  readonly generation?: string;
}

export async function startProxy(name: string, site: ProxySite): Promise<Proxy> {
  const { supervisor, folder, identityFolder, xdsPort, xdsName } = site;
  const configFolder = join(folder, name);
  mkdirSync(configFolder, { recursive: true });
  const [probePort, adminPort] = [await freePort(), await freePort()];
  const files = clusterBootstrap({
    controlPlane: { host: 'localhost', port: xdsPort, serverName: xdsName },
    identityFolder,
    configFolder,
    adminPort,
    probe: { host: '127.0.0.1', port: probePort },
    maxHeapBytes: 1_073_741_824,
    maxConnections: 1_000,
  });
  const { generation } = site;
  for (const [file, content] of Object.entries(files)) {
    const node = generation === undefined ? {} : { node: { cluster: 'drimbox-ingress', metadata: { generation } } };
    const own = file === 'bootstrap.json' ? { ...content, ...node } : content;
    writeFileSync(join(configFolder, file), JSON.stringify(own));
  }
  const config = join(configFolder, 'bootstrap.json');
  supervisor.ensure({
    name,
    command: findEnvoy(),
    args: ['-c', config, '--service-node', name, '--disable-hot-restart', '--log-level', 'warning'],
    logFile: join(folder, `${name}.log`),
    stopTimeoutMs: 1_000,
  });
  return {
    name,
    probePort,
    async stat(wanted) {
      const { body } = await page(adminPort, `/stats?filter=${encodeURIComponent(`^${wanted}$`)}`);
      return Number(/: (\d+)/.exec(body)?.[1]);
    },
    async port() {
      const { body } = await page(adminPort, '/listeners');
      return Number(/^ingress::127\.0\.0\.1:(\d+)$/m.exec(body)?.[1]);
    },
  };
}
