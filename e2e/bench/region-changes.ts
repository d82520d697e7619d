/** Changes that people make to a region that stands, each timed to where it shows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asked } from '../parts/cluster/api.ts';
import type { RegionEnvoy } from '../parts/region-envoy.ts';
import { applyResource, fqdnOf, putSecret } from '../parts/region.ts';
import { linkPath, viAsked } from './region-failover.ts';
import { handshake } from './region-traffic.ts';
import { type RegionWorld, siteNamespace, until } from './region-world.ts';

/** The spec names another Secret; what counts is the moment from which the proxy shows the certificate in it. */
export async function changeCertificates(
  world: RegionWorld,
  sites: number,
  changes: number,
): Promise<readonly number[]> {
  const { kube, region } = world;
  const took: number[] = [];
  for (let index = 0; index < changes; index += 1) {
    const site = 1 + ((index * 37) % sites);
    const issued = await region.pki.issue({
      commonName: fqdnOf('vi', site, 1),
      organizationalUnit: '1750000001',
      kind: 'MARKET',
    });
    const secretName = `changed-${index}`;
    await putSecret(kube, siteNamespace, secretName, issued);
    await sleep(500);
    const patch = { spec: { vi: { certificate: { secretName } } } };
    const startedAt = performance.now();
    await kube.request('PATCH', linkPath(site), patch, 'application/merge-patch+json');
    const serial = issued.certificate.serialNumber.toLowerCase();
    const served = async (): Promise<boolean> => (await handshake(viAsked(world, site))).toLowerCase() === serial;
    await until('the changed certificate', 60_000, served, 10);
    took.push(Math.round(performance.now() - startedAt));
  }
  return took;
}

interface LinkSeen {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration: number;
    }[];
  };
}

/** Ms from the spec. */
export interface LimitsTook {
  /** To the moment at which Envoy had both listeners of the link, by its own account. */
  readonly envoyMs: number;
  /** To the status that says that every proxy took them. */
  readonly statusMs: number;
}

/** Other limits are in the listeners of the link's FQDNs. */
export async function changeLimits(
  world: RegionWorld,
  envoy: RegionEnvoy,
  sites: number,
  changes: number,
): Promise<readonly LimitsTook[]> {
  const { kube } = world;
  const took: LimitsTook[] = [];
  for (let index = 0; index < changes; index += 1) {
    const site = 1 + ((index * 41) % sites);
    const path = linkPath(site);
    const patch = { spec: { limits: { maxConnections: 51 + index } } };
    const startedAt = Date.now();
    const { body } = await kube.request('PATCH', path, patch, 'application/merge-patch+json');
    const { generation } = (body as unknown as LinkSeen).metadata;
    const taken = async (): Promise<boolean> => {
      const { status } = await asked<LinkSeen>(kube, path);
      const told = status?.conditions.find(({ type }) => type === 'IngressProgrammed');
      return told?.status === 'True' && told.observedGeneration === generation;
    };
    await until('the proxies to have the changed limits', 60_000, taken, 20);
    const statusMs = Date.now() - startedAt;
    const fqdns = [fqdnOf('db', site, 1), fqdnOf('vi', site, 1)];
    const moments = await Promise.all(fqdns.map(async (fqdn) => (await envoy.listenerTakenAt(fqdn)).getTime()));
    took.push({ envoyMs: Math.max(...moments) - startedAt, statusMs });
    await sleep(500);
  }
  return took;
}

/** From its first resource to a handshake with its name. Ms. */
export async function addSite(world: RegionWorld, index: number): Promise<number> {
  const startedAt = performance.now();
  for (const document of world.region.sites[index]?.documents ?? []) await applyResource(world.kube, document);
  const served = async (): Promise<boolean> =>
    await handshake(viAsked(world, index + 1)).then(
      () => true,
      () => false, // not yet: no such name
    );
  await until('the new site', 60_000, served, 20);
  return performance.now() - startedAt;
}
