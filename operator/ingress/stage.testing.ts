/** For the tests of this room: a real Envoy run by the real supervisor, gateways in miniature behind it, certificates of a PKI. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Server, createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { type Issued, type Pki, createPki } from '../../e2e/parts/pki.ts';
import { freePort } from '../../e2e/parts/process.ts';
import type { IngressRunner } from '../infrastructure/host/ingress-runner.ts';
import { type Supervisor, createSupervisor } from '../infrastructure/host/supervisor.ts';
import type { DbHost, IngressPlan, TlsIdentity, ViHost } from '../plan/ingress-plan.ts';
import { emptyInternalState, internalBundle, renewInternal } from '../trust/internal-authority.ts';
import type { ConnectionFailure } from './access-log.ts';
import { createEnvoyIngress } from './envoy-ingress.ts';

export interface Gateway {
  readonly name: string;
  readonly port: number;
  /** What it received last. */
  readonly requests: IncomingMessage[];
  handler: (request: IncomingMessage, response: ServerResponse) => void;
}

export interface Stage {
  readonly folder: string;
  readonly port: number;
  readonly pki: Pki;
  readonly client: Issued;
  readonly gateways: Readonly<Record<'nord' | 'sud', Gateway>>;
  readonly failures: ConnectionFailure[];
  readonly events: string[];
  readonly supervisor: Supervisor;
  readonly ingress: IngressRunner;
  /** db and vi of nord and sud. */
  readonly plan: IngressPlan;
  identity(issued: Issued): TlsIdentity;
  /** Stops the control plane alone, or starts another one in its place; the proxy goes on. */
  apply(plan: IngressPlan): Promise<void>;
  until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>;
  stop(): Promise<void>;
}

export type Names = 'nord' | 'sud';

export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'drimbox-ingress-'));
  const pki = await createPki(join(folder, 'pki'));
  const names = { nord: 'nord.gateway.internal', sud: 'sud.gateway.internal' };
  const ingressName = 'ingress.internal';
  const internal = await renewInternal(emptyInternalState, [ingressName, names.nord, names.sud], new Date());
  const leaf = (name: string): TlsIdentity => {
    const found = internal.leaves[name];
    if (found === undefined) throw new Error(name);
    return { name, ...found };
  };
  const servers: Server[] = [];
  const gateway = async (name: Names): Promise<Gateway> => {
    const own: Gateway = {
      name,
      port: await freePort(),
      requests: [],
      handler: (_request, response) => response.end(name),
    };
    const { certificatePem: cert, keyPem: key } = leaf(names[name]);
    const options = { cert, key, ca: internalBundle(internal), requestCert: true, rejectUnauthorized: true };
    const server = createServer(options, (request, response) => {
      own.requests.push(request);
      own.handler(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(own.port, '127.0.0.1', resolve));
    return own;
  };
  const gateways = { nord: await gateway('nord'), sud: await gateway('sud') };
  const identity = (issued: Issued): TlsIdentity => ({
    name: `group/${issued.commonName}`,
    certificatePem: issued.chainPem,
    keyPem: issued.keyPem,
  });
  const hostOf = async (kind: 'db' | 'vi', name: Names): Promise<DbHost | ViHost> => {
    const fqdn = `${kind}.${name}.example`;
    const issued = await pki.issue({
      commonName: fqdn,
      organizationalUnit: '1750000001',
      kind: kind === 'db' ? 'SERV_SSL' : 'MARKET',
    });
    const common = {
      fqdn,
      link: `group/pacs-${name}`,
      site: `group/${name}`,
      identity: identity(issued),
      upstream: { host: '127.0.0.1', port: gateways[name].port, serverName: names[name] },
      limits: { maxConnections: 50, maxRequests: 50 },
    };
    return kind === 'db' ? { kind, ...common, trust: 'test' } : { kind, ...common, probeCidrs: ['127.0.0.2/32'] };
  };
  const port = await freePort();
  const failures: ConnectionFailure[] = [];
  const events: string[] = [];
  const supervisor = createSupervisor({
    random: () => 0,
    now: Date.now,
    onEvent: ({ name, what }) => events.push(`${name} ${what}`),
  });
  const ingress = await createEnvoyIngress(
    { supervisor, folder: join(folder, 'ingress'), listen: { host: '127.0.0.1', port }, onChange: () => undefined },
    {
      binary: findEnvoy(),
      onConnectionFailure: (failure) => failures.push(failure),
      onEvent: (what, fields) => events.push(`${what} ${JSON.stringify(fields)}`),
      retryMs: 500,
      drainMs: 1_000,
    },
  );
  const plan: IngressPlan = {
    hosts: [
      await hostOf('db', 'nord'),
      await hostOf('db', 'sud'),
      await hostOf('vi', 'nord'),
      await hostOf('vi', 'sud'),
    ],
    trusts: [
      {
        name: 'test',
        anchorsPem: readFileSync(pki.bundleFile, 'utf8'),
        crlsPem: readFileSync(pki.crlBundleFile, 'utf8'),
      },
    ],
    internal: { identity: leaf(ingressName), serverName: ingressName, caPem: internalBundle(internal) },
  };
  const until: Stage['until'] = async (what, look) => {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      await sleep(50);
    }
    const log = readFileSync(join(folder, 'ingress/envoy.log'), 'utf8').split('\n').slice(-15).join('\n');
    throw new Error(
      `${what} did not come: ${JSON.stringify([...ingress.observe()])}\n${events.slice(-15).join('\n')}\n${log}`,
    );
  };
  return {
    folder,
    port,
    pki,
    client: await pki.issue({ commonName: 'db.conso.example', organizationalUnit: '1750000002', kind: 'SERV_SSL' }),
    gateways,
    failures,
    events,
    supervisor,
    ingress,
    plan,
    identity,
    until,
    async apply(next) {
      await ingress.apply(next);
      await until('all programmed', () => [...ingress.observe().values()].every(({ status }) => status === 'True'));
    },
    async stop() {
      await ingress.stop();
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(folder, { recursive: true });
    },
  };
}

/** A fault of Envoy is a fault of the test: nothing must be left behind. */
export function isRunning(pid: number): boolean {
  return execFileSync('ps', ['-o', 'pid=', '-p', String(pid)], { encoding: 'utf8' }).trim() !== '';
}
