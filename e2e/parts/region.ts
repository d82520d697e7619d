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
import { type IssueOptions, type Issued, type Pki, newKeys } from './pki.ts';
import { type RegionNodes, startRegionNodes } from './region-nodes.ts';
import { endOf } from './server-end.ts';
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
  /** `http://HOST:PORT/{site}/{pod}`, for `--gateway-url`. */
  readonly gatewayUrl: string;
  /**
   * What GET /status of the gateways of a site, or of the one in a pod (`NAMESPACE/NAME`), says from now on; unless told it is well, at
   * the revision that its ConfigMap says.
   */
  readonly gateways: Map<string, Json | undefined>;
  /** Pods of StatefulSets, said to run. */
  readonly nodes: RegionNodes;
  stop(): Promise<void>;
}

export interface RegionOptions {
  readonly kube: Kube;
  readonly pki: Pki;
  readonly directory: string;
  readonly namespace: string;
  readonly sites: number;
  readonly pacs: number;
  /** Who makes pods of StatefulSets: this part unless told, or a controller manager. */
  readonly workloads?: 'said' | 'made';
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
  // Each has a certificate of its own; keys are made slowly, and a few do for all.
  const keys = await Promise.all(Array.from({ length: 4 }, newKeys));
  let issued = 0;
  const issue: Issue = async (commonName, kind) => {
    const pair = keys[(issued += 1) % keys.length];
    return await pki.issue({ commonName, organizationalUnit: structure.id, kind, ...(pair && { keys: pair }) });
  };
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
  await inParallel(secretsOf(specs, introspector), async ([name, one]) => {
    await putSecret(kube, namespace, name, one);
  });
  const gateways = new Map<string, Json | undefined>();
  const nodes = startRegionNodes(kube, namespace, options.workloads ?? 'said');
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').split('/');
    const [site, pod] = [path.slice(1, 3).join('/'), path.slice(3, 5).join('/')];
    const told = [pod, site].find((one) => gateways.has(one));
    const body = told === undefined ? wellStatus(nodes.revisionOf(site), pacs, site) : gateways.get(told);
    response.writeHead(body === undefined ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? {}));
  });
  const endPages = endOf(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    namespace,
    trustSpace: documents[0]?.[0] ?? {},
    sites: specs.map(({ name }, index) => ({ name, documents: documents[index + 1] ?? [] })),
    whitelist,
    pki,
    gatewayUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/{site}/{pod}`,
    gateways,
    nodes,
    async stop() {
      await nodes.stop();
      await endPages();
      await whitelist.close();
    },
  };
}

type Issue = (commonName: string, kind: IssueOptions['kind']) => Promise<Issued>;

/** Sixteen at a time. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.toReversed();
  const worker = async (): Promise<void> => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

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
    conditions: ['ArchiveReady', 'WhitelistVerified', 'Publishing'].map(good),
    pacs: pacs.map((one) => ({
      name: `${name}-pacs-${one}`,
      conditions: [good('PacsReachable')],
      lastEchoTime: new Date().toISOString(),
    })),
    publications: {},
    listening: {},
  };
}
