/** For the tests of this room: certificates, gateways in miniature behind mutual TLS, and a plan that leads to them. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Issued, type Pki, createPki } from '../../e2e/parts/pki.ts';
import type { ClientTrust, DbHost, IngressPlan, TlsIdentity, ViHost } from '../plan/ingress-plan.ts';
import { emptyInternalState, internalBundle, renewInternal } from '../trust/internal-authority.ts';

const names = ['nord', 'sud'] as const;
export type Name = (typeof names)[number];

export interface Gateway {
  readonly port: number;
  /** What it received, the last at the end. */
  readonly requests: IncomingMessage[];
  /** Names that ingresses proved. */
  readonly callers: Set<string>;
  handler: (request: IncomingMessage, response: ServerResponse) => void;
}

export interface World {
  readonly pki: Pki;
  /** In the TrustSpace. */
  readonly client: Issued;
  readonly gateways: Readonly<Record<Name, Gateway>>;
  /** db and vi of nord and sud. */
  readonly plan: IngressPlan;
  readonly ingressName: string;
  /** The trust as its files are now. */
  trust(): ClientTrust;
  close(): void;
}

const ingressName = 'ingress.internal';
const gatewayName = (name: Name): string => `${name}.gateway.internal`;

export async function openWorld(folder: string): Promise<World> {
  const pki = await createPki(join(folder, 'pki'));
  const state = await renewInternal(emptyInternalState, [ingressName, ...names.map(gatewayName)], new Date());
  const caPem = internalBundle(state);
  const leaf = (name: string): TlsIdentity => {
    const found = state.leaves[name];
    if (found === undefined) throw new Error(`no internal certificate for ${name}`);
    return { name, ...found };
  };
  const servers: Server[] = [];
  const open = async (name: Name): Promise<Gateway> => await openGateway(name, leaf(gatewayName(name)), caPem, servers);
  const gateways = { nord: await open('nord'), sud: await open('sud') };
  const trust = (): ClientTrust => ({
    name: 'test',
    anchorsPem: readFileSync(pki.bundleFile, 'utf8'),
    crlsPem: readFileSync(pki.crlBundleFile, 'utf8'),
  });
  const hosts = [];
  for (const kind of ['db', 'vi'] as const)
    for (const name of names) hosts.push(await hostOf(kind, name, gateways[name].port, pki));
  return {
    pki,
    client: await pki.issue({ commonName: 'db.conso.example', organizationalUnit: '1750000002', kind: 'SERV_SSL' }),
    gateways,
    plan: {
      hosts,
      trusts: [trust()],
      internal: { identity: leaf(ingressName), serverName: ingressName, caPem },
    },
    ingressName,
    trust,
    close() {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

async function openGateway(name: Name, identity: TlsIdentity, ca: string, servers: Server[]): Promise<Gateway> {
  const requests: IncomingMessage[] = [];
  const callers = new Set<string>();
  const server = createServer({
    cert: identity.certificatePem,
    key: identity.keyPem,
    ca,
    requestCert: true,
    rejectUnauthorized: true,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const gateway: Gateway = {
    port: (server.address() as AddressInfo).port,
    requests,
    callers,
    handler: (_request, response) => response.end(name),
  };
  server.on('secureConnection', (socket) => callers.add(socket.getPeerX509Certificate()?.subjectAltName ?? ''));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    requests.push(request);
    gateway.handler(request, response);
  });
  return gateway;
}

export function identityOf(issued: Issued): TlsIdentity {
  return { name: `group/${issued.commonName}`, certificatePem: issued.chainPem, keyPem: issued.keyPem };
}

async function hostOf(kind: 'db' | 'vi', name: Name, port: number, pki: Pki): Promise<DbHost | ViHost> {
  const commonName = `${kind}.${name}.example`;
  const family = kind === 'db' ? 'SERV_SSL' : 'MARKET';
  const common: Omit<ViHost, 'kind' | 'probeCidrs'> = {
    fqdn: commonName,
    link: `group/pacs-${name}`,
    site: `group/${name}`,
    identity: identityOf(await pki.issue({ commonName, organizationalUnit: '1750000001', kind: family })),
    upstream: { host: '127.0.0.1', port, serverName: gatewayName(name) },
    limits: { maxConnections: 50, maxRequests: 50 },
  };
  return kind === 'db' ? { kind, ...common, trust: 'test' } : { kind, ...common, probeCidrs: ['127.0.0.2/32'] };
}

/** The plan with one host changed. */
export function withHost(plan: IngressPlan, fqdn: string, change: Partial<Omit<DbHost, 'kind'>>): IngressPlan {
  const hosts = plan.hosts.map((host) =>
    host.fqdn === fqdn ? ({ ...host, ...change, kind: host.kind } as DbHost | ViHost) : host,
  );
  return { ...plan, hosts };
}
