/** The leader is lost: killed, or frozen as by a partition. What traffic, another leader and a fresh change make of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import { fqdnOf } from '../parts/region.ts';
import type { Pages } from './region-pages.ts';
import { type Asked, startTraffic } from './region-traffic.ts';
import { type RegionWorld, siteNamespace, until } from './region-world.ts';

export interface Watched {
  readonly part: ClusterOperatorPart;
  readonly pages: Pages;
}

export interface Failover {
  /** From the signal to the other's name in the Lease. */
  readonly leaseMs: number;
  /** From then on, of a change made at once: to its status by the new leader. */
  readonly freshMs: number;
  /** Keys that waited in the new leader's queue when it was made. */
  readonly waiting: number;
  readonly handshakes: number;
  readonly failed: readonly string[];
}

export async function loseLeader(
  world: RegionWorld,
  leader: Watched,
  next: Watched,
  signal: 'SIGKILL' | 'SIGSTOP',
): Promise<Failover> {
  const { kube, region, publicPort } = world;
  const client = await region.pki.issue({ commonName: 'autre', organizationalUnit: '1750000002', kind: 'AUTH_CLI' });
  const db: Asked = { port: publicPort, fqdn: fqdnOf('db', 1, 1), pki: region.pki, client };
  const traffic = startTraffic([viAsked(world, 2), db]);
  await leader.pages.stop();
  leader.part.kill(signal);
  const leaseMs = await until('another leader', 60_000, async () => (await world.leader()) === next.part.instance, 100);
  const path = linkPath(3);
  const changed = performance.now();
  const { body } = await kube.request(
    'PATCH',
    path,
    { spec: { limits: { maxRequests: signal === 'SIGKILL' ? 401 : 402 } } },
    'application/merge-patch+json',
  );
  const { generation } = body['metadata'] as { readonly generation: number };
  const depth = next.pages.read().then((page) => page.get('workqueue_depth{name="drimbox"}') ?? 0);
  const observed = async (): Promise<boolean> => {
    const { status } = (await kube.request('GET', path)).body as { readonly status?: { observedGeneration?: number } };
    return status?.observedGeneration === generation;
  };
  await until('the status of a fresh change', 120_000, observed, 20);
  const freshMs = performance.now() - changed;
  await sleep(5_000);
  await traffic.stop();
  return {
    leaseMs: Math.round(leaseMs),
    freshMs: Math.round(freshMs),
    waiting: await depth,
    handshakes: traffic.done,
    failed: traffic.failures,
  };
}

export const viAsked = ({ publicPort, region }: RegionWorld, site: number): Asked => ({
  port: publicPort,
  fqdn: fqdnOf('vi', site, 1),
  pki: region.pki,
});

export function linkPath(site: number): string {
  return `/apis/drimbox.dev/v1alpha1/namespaces/${siteNamespace}/pacslinks/site-${site}-pacs-1`;
}
