/**
 * A region on a real Kubernetes API without nodes: any number of sites with their Secrets, and what the kubelet and the gateways would
 * say, said by this part (pods with a status, answers to GET /status). What the operator makes of it is real.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type GroupSpec, type SiteSpec, writeGroup } from './group.ts';
import { type Kube, type KubeAnswer } from './kube.ts';
import type { Issued, Pki } from './pki.ts';
import { type WhitelistServer, signWhitelist, startWhitelistServer } from './whitelist.ts';

export const root = join(import.meta.dirname, '../..');
export type Json = Record<string, unknown>;

export interface RegionSite {
  readonly name: string;
  readonly documents: readonly Json[];
}

export interface Region {
  readonly namespace: string;
  readonly trustSpace: Json;
  readonly sites: readonly RegionSite[];
  readonly whitelist: WhitelistServer;
  readonly pki: Pki;
  /** `http://HOST:PORT/{site}`, for `--gateway-url`. */
  readonly gatewayUrl: string;
  /** What GET /status of a gateway says from now on; unless told it is well, at the revision that its ConfigMap says. */
  readonly gateways: Map<string, Json | undefined>;
  /** Says of every StatefulSet that is there what the cluster would: its pod runs. @returns how many */
  runPods(): Promise<number>;
  stop(): Promise<void>;
}

export interface RegionOptions {
  readonly kube: Kube;
  readonly pki: Pki;
  readonly directory: string;
  readonly namespace: string;
  readonly sites: number;
  readonly pacs: number;
}

export function readCrds(): Json[] {
  return ['trustspaces', 'drimboxsites', 'pacslinks'].flatMap((name) =>
    parseAllDocuments(readFileSync(join(root, `crds/${name}.yaml`), 'utf8')).map((document) => document.toJS() as Json),
  );
}

export function fqdnOf(kind: 'db' | 'vi', site: number, pacs: number): string {
  return `${kind}${pacs}.site-${site}.region.example`;
}

const structure = { id: '1750000001', name: 'Centre d’imagerie de la région' };

export async function startRegion(options: RegionOptions): Promise<Region> {
  const { kube, pki, namespace, directory } = options;
  const issue = async (commonName: string, kind: 'SERV_SSL' | 'MARKET' | 'AUTH_CLI' | 'SIGN'): Promise<Issued> =>
    await pki.issue({ commonName, organizationalUnit: structure.id, kind });
  const numbers = Array.from({ length: options.sites }, (_, index) => index + 1);
  const pacs = Array.from({ length: options.pacs }, (_, index) => index + 1);
  const signer = await issue('Liste Blanche DRIM-M', 'SIGN');
  const domains = numbers.flatMap((site) =>
    pacs.map((one) => ({
      db: fqdnOf('db', site, one),
      vi: fqdnOf('vi', site, one),
      commonName: fqdnOf('db', site, one),
      organizationalUnit: structure.id,
    })),
  );
  const whitelist = await startWhitelistServer(pki, signWhitelist({ domains, signer, pki }));
  const [authentication, signature, introspector] = [
    await issue('drimbox-region', 'AUTH_CLI'),
    await issue('drimbox-region-sign', 'SIGN'),
    await issue('drimbox-psc', 'AUTH_CLI'),
  ];
  const specs: SiteSpec[] = [];
  for (const site of numbers) specs.push(await siteSpec(site, pacs, { authentication, signature }, issue));
  const group: GroupSpec = {
    namespace,
    pki,
    whitelistUrl: whitelist.listUrl,
    signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: structure.id },
    crlUrls: whitelist.crlUrls,
    dmpUrl: 'https://dmp.example/services',
    introspection: { url: 'https://psc.example/introspect', clientId: 'drimbox', certificate: introspector },
    publicPort: 443,
    sites: specs,
  };
  const files = writeGroup(directory, group);
  const documents = files.map((file) =>
    parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Json),
  );
  await kube.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  for (const [name, issued] of secretsOf(specs, introspector)) await putSecret(kube, namespace, name, issued);
  const gateways = new Map<string, Json | undefined>();
  const revisions = new Map<string, string>();
  const server = createServer((request, response) => {
    const site = decodeURIComponent((request.url ?? '').slice(1).replace(/\/status$/, ''));
    const body = gateways.has(site) ? gateways.get(site) : wellStatus(revisions.get(site) ?? '', pacs, site);
    response.writeHead(body === undefined ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    namespace,
    trustSpace: documents[0]?.[0] ?? {},
    sites: specs.map(({ name }, index) => ({ name, documents: documents[index + 1] ?? [] })),
    whitelist,
    pki,
    gatewayUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/{site}`,
    gateways,
    runPods: async () => await runPods(kube, namespace, revisions),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await whitelist.close();
    },
  };
}

type Issue = (commonName: string, kind: 'SERV_SSL' | 'MARKET' | 'AUTH_CLI' | 'SIGN') => Promise<Issued>;

async function siteSpec(
  site: number,
  pacs: readonly number[],
  certificates: Pick<SiteSpec, 'authentication' | 'signature'>,
  issue: Issue,
): Promise<SiteSpec> {
  const links: SiteSpec['links'][number][] = [];
  for (const one of pacs)
    links.push({
      name: `site-${site}-pacs-${one}`,
      pacs: { host: '192.0.2.10', port: 104, aeTitle: `PACS${one}` },
      callingAeTitle: 'DRIM',
      aeTitlePool: [`DRIM${one}A`, `DRIM${one}B`],
      maxConcurrentMoves: 2,
      retrieveLocationUid: `2.25.${site}${one}`,
      db: { fqdn: fqdnOf('db', site, one), certificate: await issue(fqdnOf('db', site, one), 'SERV_SSL') },
      vi: { fqdn: fqdnOf('vi', site, one), certificate: await issue(fqdnOf('vi', site, one), 'MARKET') },
    });
  return {
    name: `site-${site}`,
    structure,
    sourceId: `2.25.9${site}`,
    sendingApplication: 'RIS',
    mllpPort: 2575,
    dimsePort: 11_112,
    ...certificates,
    links,
  };
}

function secretsOf(specs: readonly SiteSpec[], introspector: Issued): [string, Issued][] {
  return [
    ['psc-client', introspector],
    ...specs.flatMap((site): [string, Issued][] => [
      [`${site.name}-auth-cli`, site.authentication],
      [`${site.name}-sign`, site.signature],
      ...site.links.flatMap((link): [string, Issued][] => [
        [`${link.name}-db`, link.db.certificate],
        [`${link.name}-vi`, link.vi.certificate],
      ]),
    ]),
  ];
}

/** Made, or replaced: a rotation. */
export async function putSecret(kube: Kube, namespace: string, name: string, issued: Issued): Promise<KubeAnswer> {
  const text = (file: string): string => readFileSync(file).toString('base64');
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': text(issued.certificateFile), 'tls.key': text(issued.keyFile) },
  };
  return await kube.request(
    'PATCH',
    `/api/v1/namespaces/${namespace}/secrets/${name}?fieldManager=person&force=true`,
    secret,
    'application/apply-patch+yaml',
  );
}

const collections: Readonly<Record<string, string>> = {
  TrustSpace: 'trustspaces',
  DrimboxSite: 'drimboxsites',
  PacsLink: 'pacslinks',
};

/** Path of one of our resources. */
export function pathOf(kind: string, namespace: string | undefined, name: string): string {
  const inside = kind === 'TrustSpace' ? '' : `/namespaces/${namespace ?? ''}`;
  return `/apis/drimbox.dev/v1alpha1${inside}/${collections[kind] ?? kind}/${name}`;
}

/** As `kubectl apply --server-side`. @throws Error with the API server's words */
export async function applyResource(kube: Kube, resource: Json): Promise<Json> {
  const { name, namespace } = resource['metadata'] as { readonly name: string; readonly namespace?: string };
  const answer = await kube.request(
    'PATCH',
    `${pathOf(String(resource['kind']), namespace, name)}?fieldManager=person&force=true&fieldValidation=Strict`,
    resource,
    'application/apply-patch+yaml',
  );
  if (answer.status >= 300) throw new Error(`${name}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

interface WorkloadSeen {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly template: { readonly metadata: Json; readonly spec: Json } };
}

/** The pod that a StatefulSet's controller would make, running as the kubelet would say. */
async function runPods(kube: Kube, namespace: string, revisions: Map<string, string>): Promise<number> {
  const sets = (await kube.request('GET', `/apis/apps/v1/namespaces/${namespace}/statefulsets`)).body['items'];
  const found = sets as readonly WorkloadSeen[];
  await Promise.all(
    found.map(async ({ metadata, spec }) => {
      const site = metadata.labels?.['drimbox.dev/site'] ?? '';
      const pods = `/api/v1/namespaces/${namespace}/pods`;
      const name = `${metadata.name}-0`;
      await kube.request('POST', pods, { metadata: { ...spec.template.metadata, name }, spec: spec.template.spec });
      const status = {
        phase: 'Running',
        podIP: '127.0.0.1',
        podIPs: [{ ip: '127.0.0.1' }],
        containerStatuses: [
          {
            name: 'gateway',
            image: 'x',
            imageID: 'x',
            ready: true,
            restartCount: 0,
            state: { running: { startedAt: new Date().toISOString() } },
          },
        ],
      };
      await kube.request('PATCH', `${pods}/${name}/status`, { status }, 'application/merge-patch+json');
      await readRevision(kube, namespace, metadata.name, site, revisions);
    }),
  );
  return found.length;
}

async function readRevision(
  kube: Kube,
  namespace: string,
  workload: string,
  site: string,
  revisions: Map<string, string>,
): Promise<void> {
  const map = (await kube.request('GET', `/api/v1/namespaces/${namespace}/configmaps/${workload}`)).body;
  const config = (map['data'] as Readonly<Record<string, string>> | undefined)?.['config.json'];
  if (config !== undefined)
    revisions.set(`${namespace}/${site}`, (JSON.parse(config) as { revision: string }).revision);
}

function wellStatus(revision: string, pacs: readonly number[], site: string): Json {
  const time = '2026-01-01T00:00:00.000Z';
  const good = (type: string): Json => ({
    type,
    status: 'True',
    reason: 'Fine',
    message: '',
    lastTransitionTime: time,
  });
  const name = site.slice(site.indexOf('/') + 1);
  return {
    apiVersion: 'gateway.drimbox.dev/v1alpha1',
    revision,
    ready: true,
    conditions: ['WhitelistVerified', 'Publishing'].map(good),
    pacs: pacs.map((one) => ({
      name: `${name}-pacs-${one}`,
      conditions: [good('PacsReachable')],
      lastEchoTime: new Date().toISOString(),
    })),
    publications: {},
    listening: {},
  };
}
