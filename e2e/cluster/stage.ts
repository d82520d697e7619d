/**
 * The demo's two sites on a real cluster: our images, installed by our chart; PACS, RIS and the simulators of the national services
 * outside of it, reached over its one link to this host.
 */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Narrator } from '../demo/narrator.ts';
import type { Stage } from '../demo/scenario.ts';
import {
  type DemoSite,
  type NationalServices,
  type SiteName,
  namespace,
  putImages,
  startNationalServices,
  startSites,
  writeResources,
} from '../demo/world.ts';
import { buildImages } from './images.ts';
import { importRelease, type Release } from './release.ts';
import { ingressNodePort, install, restrictedNamespace, systemNamespace, tagValues } from './installation.ts';
import { asked } from '../parts/cluster/api.ts';
import { type Cluster, startCluster } from '../parts/cluster/single-node.ts';
import type { ConditionSeen } from '../parts/operator.ts';
import { type Pki, createPki } from '../parts/pki.ts';
import { type Postgres, startPostgres } from '../parts/postgres.ts';

/** Pods know the simulators by it. */
const nationalName = 'national.demo.example';
const databaseName = 'database.demo.example';
const databaseSecret = 'nord-database';
const databasePassword = 'only-of-this-test';
/** On the node: of the ingress, and of each site's MLLP and DIMSE. */
export const nodePorts = {
  ingress: ingressNodePort,
  nord: { mllp: 30_575, dimse: 30_112 },
  sud: { mllp: 30_576, dimse: 30_122 },
} as const;
const publicPort = 443;

export interface ClusterStage extends Stage {
  readonly cluster: Cluster;
  readonly directory: string;
  /** Parts that are outside of the cluster. */
  readonly services: NationalServices;
  readonly sites: readonly DemoSite[];
  /** Of nord's gateways, when there are several. */
  readonly database?: Postgres;
  stop(): Promise<void>;
}

export interface ClusterStageOptions {
  readonly directory: string;
  readonly images: number;
  readonly narrator: Narrator;
  /** Of nord; more than one on a PostgreSQL outside of the cluster. */
  readonly gateways?: number;
  /** More of the chart's values. */
  readonly values?: readonly string[];
  /** Images of both are known to the node, under tags of these names; the former is installed. Default: this version alone. */
  readonly releases?: Readonly<Record<'former' | 'present', Release>>;
}

/** What was started is stopped again when a step fails. */
export async function openClusterStage(options: ClusterStageOptions): Promise<ClusterStage> {
  const { directory, narrator } = options;
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    mkdirSync(directory, { recursive: true });
    const { releases } = options;
    const archives =
      releases === undefined ? await narrator.step('images (operator, gateway, envoy)', () => buildImages()) : [];
    const cluster = await narrator.step('Kubernetes (one node, as real as it gets)', async () => {
      const started = await startCluster({ images: archives, directory: join(directory, 'cluster') });
      stops.push(() => started.stop());
      await started.waitReady();
      return started;
    });
    for (const [tag, release] of Object.entries(releases ?? {}))
      await narrator.step(`images of the ${tag} version`, () => importRelease(cluster, release, tag));
    const outside = await startOutside(options, cluster, stops);
    await narrator.step('helm install (CRDs, operator, ingress)', () => {
      // Whitelist and CRLs come from a port of this host, not from 443 or 80.
      const trust = `networkPolicy.trustPorts={${new URL(outside.services.whitelist.listUrl).port}}`;
      const tags = releases === undefined ? [] : tagValues('former');
      return install(cluster, [trust, ...tags, ...(options.values ?? [])], releases?.former.root);
    });
    await narrator.step('resources and Secrets (kubectl apply)', () => applyGroup(cluster, directory, outside));
    await narrator.step('every resource Ready', () => untilReady(cluster, 5, 300_000));
    return {
      ...outside,
      cluster,
      directory,
      stop,
      publicPort,
      ingress: { host: cluster.nodeAddress, port: nodePorts.ingress },
      mllp: { host: cluster.nodeAddress, port: nodePorts.nord.mllp },
      metrics: async () => await gatewayMetrics(cluster, 'drimbox-nord-0'),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Outside extends Pick<Stage, 'services' | 'sites' | 'study'> {
  readonly database?: Postgres;
}

async function startOutside(
  { directory, narrator, images, gateways = 1 }: ClusterStageOptions,
  cluster: Cluster,
  stops: (() => Promise<unknown>)[],
): Promise<Outside> {
  const pki = await narrator.step('certificates (IGC-Santé-like PKI)', () => createPki(join(directory, 'pki')));
  const place = { host: cluster.hostAddress, name: nationalName };
  const services = await narrator.step('national services (DMP, PSC, whitelist: simulators)', () =>
    startNationalServices(directory, pki, place),
  );
  stops.push(
    () => services.dmp.close(),
    () => services.psc.close(),
    () => services.whitelist.close(),
  );
  cluster.setHosts({ [nationalName]: cluster.hostAddress, [databaseName]: cluster.hostAddress });
  const ports = { public: publicPort, mllp: [2575, 2575], dimse: [11_112, 11_112] };
  const sites = await narrator.step('two PACS (Orthanc)', () =>
    startSites(directory, pki, ports, (name: SiteName) => ({
      pacs: { host: cluster.hostAddress },
      gatewayHost: cluster.nodeAddress,
      // Each gateway has the titles at its index and every so many after it.
      gatewayPort: (title) => nodePorts[name].dimse + (name === 'nord' ? title % gateways : 0),
    })),
  );
  for (const { orthanc } of sites) stops.push(() => orthanc.stop());
  const [first] = sites;
  if (first === undefined) throw new Error('the demo has two sites');
  const study = await narrator.step(`${images} CT images into the PACS of nord`, () =>
    putImages(directory, first.orthanc, images),
  );
  if (gateways === 1) return { services, sites: sites.map((site) => onNodePorts(site, cluster)), study };
  const database = await narrator.step('a database for the gateways of nord (PostgreSQL)', async () => {
    const started = await startDatabase(cluster, pki);
    stops.push(() => started.stop());
    return started;
  });
  const trust = { inline: readFileSync(pki.bundleFile, 'utf8') };
  const credentials = { secretName: databaseSecret };
  const postgres = { host: databaseName, port: database.port, database: 'nord', credentials, trust };
  const several = { replicas: gateways, storage: { postgres } };
  return {
    services,
    study,
    database,
    sites: sites.map((site) => onNodePorts(site, cluster, site.spec.name === 'nord' ? several : {})),
  };
}

async function startDatabase(cluster: Cluster, pki: Pki): Promise<Postgres> {
  const tls = await pki.issue({ commonName: databaseName, organizationalUnit: '1750000001', kind: 'SERV_SSL' });
  // The node's own network is all there is beyond this host's end of the link.
  const postgres = await startPostgres({ tls, address: cluster.hostAddress, from: 'all' });
  await postgres.addDatabase('nord', 'nord', databasePassword);
  return postgres;
}

async function applyGroup(cluster: Cluster, directory: string, { services, sites, database }: Outside): Promise<void> {
  const folder = join(directory, 'resources');
  // A port on every node does not keep the caller's address: the node's own stands for it.
  const probes = [`${cluster.hostAddress}/32`, `${cluster.nodeAddress}/32`, '10.244.0.0/16'];
  const files = writeResources(folder, services, sites, { public: publicPort }, probes);
  await restrictedNamespace(cluster, namespace);
  const secrets = join(folder, 'secrets', namespace);
  await Promise.all(
    readdirSync(secrets).map(
      async (name) =>
        await cluster.kubectl(
          'create',
          'secret',
          'tls',
          name,
          '--namespace',
          namespace,
          `--cert=${join(secrets, name, 'tls.crt')}`,
          `--key=${join(secrets, name, 'tls.key')}`,
        ),
    ),
  );
  if (database !== undefined)
    await cluster.kubectl(
      'create',
      'secret',
      'generic',
      databaseSecret,
      '--namespace',
      namespace,
      '--type=kubernetes.io/basic-auth',
      '--from-literal=username=nord',
      `--from-literal=password=${databasePassword}`,
    );
  await cluster.kubectl('apply', '--server-side', ...files.flatMap((file) => ['-f', file]));
}

function onNodePorts(site: DemoSite, cluster: Cluster, more: Readonly<Record<string, unknown>> = {}): DemoSite {
  const own = nodePorts[site.spec.name === 'nord' ? 'nord' : 'sud'];
  const service = { type: 'NodePort', mllpNodePort: own.mllp, dimseNodePort: own.dimse };
  // RIS and PACS are on this host, and nobody else may open MLLP and DIMSE.
  const network = { sources: [`${cluster.hostAddress}/32`] };
  return { ...site, spec: { ...site.spec, more: { service, network, ...more } } };
}

interface Listed {
  readonly items: readonly {
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly status?: { readonly conditions?: readonly ConditionSeen[] };
  }[];
}

/** @throws Error naming what is not ready, and why */
export async function untilReady(cluster: Cluster, resources: number, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const lists = await Promise.all(
      ['trustspaces', 'drimboxsites', 'pacslinks'].map(async (kind) => {
        return (await asked<Listed>(cluster, `/apis/drimbox.dev/v1alpha1/${kind}`)).items;
      }),
    );
    const items = lists.flat();
    const conditionsOf = (item: Listed['items'][number]): readonly ConditionSeen[] => item.status?.conditions ?? [];
    const ready = items.filter((item) =>
      conditionsOf(item).some(({ type, status }) => type === 'Ready' && status === 'True'),
    );
    if (ready.length === resources) return;
    if (Date.now() > deadline) {
      const why = items.flatMap((item) =>
        conditionsOf(item)
          .filter(({ type, status }) => status !== 'True' && type !== 'Paused')
          .map(
            ({ type, status, reason, message }) =>
              `${item.kind} ${item.metadata.name} ${type}=${status} ${reason}: ${message}`,
          ),
      );
      throw new Error(`not ready after ${timeoutMs / 1000} s:\n${why.join('\n')}\n${await podsOf(cluster)}`);
    }
    await sleep(500);
  }
}

/** For whoever looks for the cause. */
export async function podsOf(cluster: Cluster): Promise<string> {
  const parts = [
    await cluster.kubectl('get', 'pods', '-A', '-o', 'wide'),
    await cluster.kubectl('get', 'events', '-A', '--sort-by=.lastTimestamp').catch(String),
    await cluster
      .kubectl('logs', '-n', systemNamespace, '-l', 'app.kubernetes.io/name=drimbox-operator', '--tail=30')
      .catch(String),
  ];
  return parts.map((part) => part.split('\n').slice(-45).join('\n')).join('\n');
}

/** Through the API server, which reaches every pod. */
export async function gatewayMetrics(cluster: Cluster, pod: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}:8080/proxy/metrics`;
  const { status, body } = await cluster.request('GET', path, undefined, undefined, 'text/plain');
  if (status !== 200) throw new Error(`${path}: ${status} ${String(body['message'])}`);
  return String(body['message']);
}
