/** A region for measuring: a real API server, sites as resources, operators with service accounts, and a real Envoy. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ClusterOperatorPart,
  type ServiceAccount,
  makeServiceAccount,
  startClusterOperator,
} from '../parts/cluster-operator.ts';
import { type Kube, startKube } from '../parts/kube.ts';
import { createPki } from '../parts/pki.ts';
import { startKwok } from '../parts/kwok.ts';
import { freePort } from '../parts/ports.ts';
import { type RegionEnvoy, startRegionEnvoy } from '../parts/region-envoy.ts';
import { type Json, type Region, applyResource, inParallel, pathOf, readCrds, startRegion } from '../parts/region.ts';

export interface RegionWorld {
  readonly kube: Kube;
  readonly region: Region;
  readonly publicPort: number;
  startOperator(instance: string, flags?: readonly string[]): Promise<ClusterOperatorPart>;
  /** One more proxy, of any of these; it listens where they were told (`--proxy-listen`), and two can't share a port. */
  startEnvoy(operators: readonly ClusterOperatorPart[]): Promise<RegionEnvoy>;
  /** The trust space and the first so many sites, sixteen requests at a time. */
  applySites(count: number): Promise<void>;
  applySite(index: number): Promise<void>;
  deleteSite(index: number): Promise<void>;
  /** Sites and links that are Ready, and all of them. */
  readiness(): Promise<{ readonly ready: number; readonly all: number }>;
  /** Holder of the Lease; empty when there is none. */
  leader(): Promise<string>;
  stop(): Promise<void>;
}

export const siteNamespace = 'region';
export const operatorNamespace = 'drimbox-system';

export interface RegionWorldOptions {
  readonly sites: number;
  readonly pacs: number;
  /** Nodes of KWOK, on which Kubernetes' own controller and scheduler put the pods; absent: this part says that they run. */
  readonly kwok?: number;
  /** Definitions of our kinds: the newest unless told. */
  readonly crds?: readonly Json[];
  /** Flags of Node for the operators. */
  readonly nodeFlags?: readonly string[];
}

export async function openRegionWorld(options: RegionWorldOptions): Promise<RegionWorld> {
  const { sites, pacs, kwok, crds = readCrds(), nodeFlags = [] } = options;
  const directory = mkdtempSync(join(tmpdir(), 'drimbox-region-'));
  const kube = await startKube();
  await kube.installCrds(crds);
  const account: ServiceAccount = await makeServiceAccount(kube, operatorNamespace);
  const pki = await createPki(join(directory, 'pki'));
  const group = join(directory, 'group');
  const workloads = kwok === undefined ? 'said' : 'made';
  const region = await startRegion({ kube, pki, directory: group, namespace: siteNamespace, sites, pacs, workloads });
  const publicPort = await freePort();
  let proxies = 0;
  const parts: { stop(): Promise<void> }[] = kwok === undefined ? [] : [await startKwok(kube, kwok)];
  const applySite = async (index: number): Promise<void> => {
    for (const document of region.sites[index]?.documents ?? []) await applyResource(kube, document);
  };
  return {
    kube,
    region,
    publicPort,
    async startOperator(instance, flags = []) {
      const part = await startClusterOperator({
        kube,
        account,
        instance,
        namespaces: [siteNamespace],
        gatewayUrl: region.gatewayUrl,
        logFile: join(directory, `${instance}.log`),
        proxyPort: publicPort,
        flags,
        nodeFlags,
      });
      parts.push(part);
      return part;
    },
    async startEnvoy(operators) {
      const controlPorts = operators.map(({ controlPort }) => controlPort);
      proxies += 1;
      const envoyDirectory = join(directory, `envoy-${proxies}`);
      const options = { kube, namespace: operatorNamespace, controlPorts, publicPort, directory: envoyDirectory };
      const envoy = await startRegionEnvoy(options);
      parts.push(envoy);
      return envoy;
    },
    async applySites(count) {
      await applyResource(kube, region.trustSpace);
      await inParallel([...region.sites.keys()].slice(0, count), applySite);
    },
    applySite,
    async deleteSite(index) {
      for (const { kind, metadata } of (region.sites[index]?.documents ?? []).toReversed()) {
        const { name } = metadata as { readonly name: string };
        await kube.request('DELETE', pathOf(String(kind), siteNamespace, name));
      }
    },
    async readiness() {
      const items: Json[] = [];
      for (const kind of ['drimboxsites', 'pacslinks'])
        items.push(...(await listOf(kube, `/apis/drimbox.dev/v1alpha1/namespaces/${siteNamespace}/${kind}`)));
      return { ready: items.filter(isReady).length, all: items.length };
    },
    async leader() {
      const path = `/apis/coordination.k8s.io/v1/namespaces/${operatorNamespace}/leases/drimbox-operator`;
      const { spec } = (await kube.request('GET', path)).body as { readonly spec?: { holderIdentity?: string } };
      return spec?.holderIdentity ?? '';
    },
    async stop() {
      await Promise.all(parts.map(async (part) => await part.stop()));
      await region.stop();
      await kube.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function listOf(kube: Kube, path: string): Promise<readonly Json[]> {
  return ((await kube.request('GET', path)).body['items'] ?? []) as readonly Json[];
}

export function isReady({ status, metadata }: Json): boolean {
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly Json[] };
  const { generation } = metadata as { readonly generation: number };
  return conditions.some(
    (one) => one['type'] === 'Ready' && one['status'] === 'True' && one['observedGeneration'] === generation,
  );
}

/** @returns ms it took @throws Error when it does not come in time */
export async function until(
  what: string,
  limitMs: number,
  look: () => Promise<boolean>,
  everyMs = 20,
): Promise<number> {
  const startedAt = performance.now();
  while (!(await look())) {
    if (performance.now() - startedAt > limitMs) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await sleep(everyMs);
  }
  return performance.now() - startedAt;
}
