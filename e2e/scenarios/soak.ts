/** Sites made, changed and deleted in waves, by chance that a seed decides; now and then all of them go, and nothing may be left. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startControllerManager } from '../parts/controller-manager.ts';
import { type Json, inParallel } from '../parts/region.ts';
import type { RegionEnvoy } from '../parts/region-envoy.ts';
import { type Pages, watchPages } from '../bench/region-pages.ts';
import { type RegionWorld, listOf, openRegionWorld, siteNamespace, until } from '../bench/region-world.ts';

export interface SoakPlan {
  readonly sites: number;
  readonly minutes: number;
  readonly seed: number;
  readonly nodeFlags: readonly string[];
  readonly say: (text: string) => void;
}

export interface Tide {
  /** Least of what was seen while nothing was there: what a collection leaves. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** Objects of the operator still there, claims that are kept and its own documents left out. */
  readonly leftovers: readonly string[];
  readonly queueDepth: number;
  /** Secrets that Envoy still holds. */
  readonly envoySecrets: readonly string[];
}

export interface SoakResult {
  readonly seed: number;
  readonly waves: number;
  readonly made: number;
  readonly changed: number;
  readonly deleted: number;
  /** Each time that all sites were gone; the first before any was there. */
  readonly tides: readonly Tide[];
}

/** mulberry32: small, seeded, the same everywhere. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Soaking {
  readonly world: RegionWorld;
  readonly envoy: RegionEnvoy;
  readonly pages: Pages;
  readonly there: Set<number>;
  readonly counts: { waves: number; made: number; changed: number; deleted: number };
}

export async function runSoak(plan: SoakPlan): Promise<SoakResult> {
  const { sites, minutes, seed, say } = plan;
  const random = chance(seed);
  const world = await openRegionWorld({ sites, pacs: 1, nodeFlags: plan.nodeFlags });
  const collector = await startControllerManager(world.kube, ['garbage-collector-controller']);
  const operator = await world.startOperator('operator-soak');
  const pages = watchPages(operator.metricsPort, operator.pid);
  try {
    const envoy = await world.startEnvoy([operator]);
    const counts = { waves: 0, made: 0, changed: 0, deleted: 0 };
    const soaking: Soaking = { world, envoy, pages, there: new Set(), counts };
    const tides: Tide[] = [await ebb(soaking)];
    await world.applySites(0);
    const deadline = performance.now() + minutes * 60_000;
    while (performance.now() < deadline) {
      for (let wave = 0; wave < 3; wave += 1) await makeWave(soaking, sites, random);
      tides.push(await ebb(soaking));
      const last = tides.at(-1);
      say(
        `${counts.waves} waves: ${counts.made} made, ${counts.changed} changed, ${counts.deleted} deleted; empty again with ` +
          `${last?.leftovers.length ?? 0} left, heap ${((last?.heapBytes ?? 0) / 1e6).toFixed(0)} MB`,
      );
    }
    return { seed, ...counts, tides };
  } finally {
    await pages.stop();
    await collector.stop();
    await world.stop();
  }
}

/** Each site, by chance: one that is not there is made; one that is, is changed, deleted, or left. */
async function makeWave({ world, there, counts }: Soaking, sites: number, random: () => number): Promise<void> {
  counts.waves += 1;
  const dice = Array.from({ length: sites }, (_, index) => ({
    index,
    roll: random(),
    value: 3 + Math.floor(random() * 900),
  }));
  await inParallel(dice, async ({ index, roll, value }) => {
    if (!there.has(index)) {
      if (roll < 0.3) return;
      await world.applySite(index);
      there.add(index);
      counts.made += 1;
    } else if (roll < 0.3) {
      await world.deleteSite(index);
      there.delete(index);
      counts.deleted += 1;
    } else if (roll < 0.7) {
      await changeLink(world, index, value);
      counts.changed += 1;
    }
  });
  const all = there.size * 2;
  const look = async (): Promise<boolean> => {
    const { ready, all: found } = await world.readiness();
    return ready === all && found === all;
  };
  await until(`${all} resources Ready`, 120_000, look, 250);
}

async function changeLink({ kube }: RegionWorld, index: number, maxRequests: number): Promise<void> {
  const path = `/apis/drimbox.dev/v1alpha1/namespaces/${siteNamespace}/pacslinks/site-${index + 1}-pacs-1`;
  await kube.request('PATCH', path, { spec: { limits: { maxRequests } } }, 'application/merge-patch+json');
}

/** All sites go; what is still there when nothing moves any more is told. */
async function ebb(soaking: Soaking): Promise<Tide> {
  const { world, envoy, pages, there, counts } = soaking;
  counts.deleted += there.size;
  await inParallel([...there], async (index) => await world.deleteSite(index));
  there.clear();
  const isEmpty = async (): Promise<boolean> =>
    (await leftovers(world)).length === 0 && (await certificates(envoy)).length === 0 && (await depth(pages)) === 0;
  // What does not come is told by what is left.
  await until('nothing left', 60_000, isEmpty, 500).catch(() => undefined);
  let [heapBytes, rssBytes] = [Infinity, Infinity];
  for (let look = 0; look < 10; look += 1) {
    const page = await pages.read();
    heapBytes = Math.min(heapBytes, page.get('nodejs_heap_size_used_bytes') ?? Infinity);
    rssBytes = Math.min(rssBytes, page.get('process_resident_memory_bytes') ?? Infinity);
    await sleep(500);
  }
  return {
    heapBytes,
    rssBytes,
    leftovers: await leftovers(world),
    queueDepth: await depth(pages),
    envoySecrets: await certificates(envoy),
  };
}

async function depth(pages: Pages): Promise<number> {
  return (await pages.read()).get('workqueue_depth{name="drimbox"}') ?? 0;
}

async function certificates(envoy: RegionEnvoy): Promise<readonly string[]> {
  return (await envoy.secrets()).filter((name) => name.startsWith('certificate/'));
}

/** Claims stay on purpose (whenDeleted: Retain). */
const collections = [
  'api/v1/secrets',
  'api/v1/configmaps',
  'api/v1/services',
  'api/v1/pods',
  'apis/apps/v1/statefulsets',
  'apis/networking.k8s.io/v1/networkpolicies',
] as const;

async function leftovers({ kube }: RegionWorld): Promise<readonly string[]> {
  const label = 'labelSelector=app.kubernetes.io%2Fmanaged-by%3Ddrimbox-operator';
  const found: string[] = [];
  for (const collection of collections) {
    const slash = collection.lastIndexOf('/');
    const path = `/${collection.slice(0, slash)}/namespaces/${siteNamespace}${collection.slice(slash)}?${label}`;
    const items: readonly Json[] = await listOf(kube, path);
    for (const { metadata } of items)
      found.push(`${collection.slice(slash + 1)}/${(metadata as { readonly name: string }).name}`);
  }
  return found;
}
