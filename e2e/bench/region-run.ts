/** One size of region, from nothing to the end: all Ready, quiet, changes, and the leader lost twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Peaks, requestsIn, sum, watchPages, writesIn } from './region-pages.ts';
import { addSite, changeCertificates, changeLimits, type LimitsTook } from './region-changes.ts';
import { type Failover, type Watched, loseLeader } from './region-failover.ts';
import { type RegionWorld, openRegionWorld, until } from './region-world.ts';

export interface RegionPlan {
  readonly sites: number;
  readonly pacs: number;
  readonly quietMinutes: number;
  readonly changes: number;
  /** Nodes of KWOK; absent: pods are said to run. */
  readonly kwok?: number;
  /** Of the operators' Node. */
  readonly nodeFlags: readonly string[];
  readonly say: (text: string) => void;
}

export interface RegionRun {
  readonly sites: number;
  readonly pacs: number;
  readonly idleRssBytes: number;
  readonly readyMs: number;
  /** Requests to the API server until then, of both operators, by method and resource; no watches, no Lease. */
  readonly requests: Readonly<Record<string, number>>;
  readonly requestsPerSite: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  /** Longest block of the leader's event loop, ms: while it starts, until all is Ready, and afterwards. By its own computing. */
  readonly ownBlockMs: Blocks;
  /** The same by the clock: with what others took of the processor. */
  readonly blockMs: Blocks;
  readonly quietMinutes: number;
  readonly quietWrites: number;
  /** Share of a core in the quiet time. */
  readonly quietCpu: number;
  /** From another certificate in a PacsLink's spec to Envoy showing it. */
  readonly changesMs: readonly number[];
  /** From other limits in it, which are in the listeners of its FQDNs. */
  readonly limits: readonly LimitsTook[];
  /** From the first resource of a new site to its FQDN served by Envoy. */
  readonly newSiteMs: number;
  readonly killed: Failover;
  readonly frozen: Failover & {
    /** How the former leader ended when it was let go on. */
    readonly formerEnded: string;
  };
}

export interface Blocks {
  readonly start: number;
  readonly load: number;
  readonly quiet: number;
  readonly changes: number;
}

export async function runRegion(plan: RegionPlan): Promise<RegionRun> {
  const { sites, pacs, say } = plan;
  const world = await openRegionWorld({
    sites: sites + 1,
    pacs,
    nodeFlags: plan.nodeFlags,
    ...(plan.kwok !== undefined && { kwok: plan.kwok }),
  });
  const watched: Watched[] = [];
  const start = async (name: string): Promise<Watched> => {
    const part = await world.startOperator(name);
    const one = { part, pages: watchPages(part.metricsPort, part.pid) };
    watched.push(one);
    return one;
  };
  try {
    say(`${sites} sites: made`);
    const [a, b] = [await start('operator-a'), await start('operator-b')];
    await until('a leader', 60_000, async () => (await world.leader()) !== '');
    const [leader, other] = (await world.leader()) === 'operator-a' ? [a, b] : [b, a];
    const envoy = await world.startEnvoy([a.part, b.part]);
    await sleep(3_000);
    const idle = await leader.pages.peaks();
    const load = await loadAll(world, leader, sites, pacs, say);
    const requests = await requestsOf([a, b]);
    const cpuSeconds = await cpuOf(leader);
    const loadPeaks = await leader.pages.peaks();
    await settle([a, b]);
    await leader.pages.peaks();
    say('settled');
    const quiet = await keepQuiet([a, b], leader, plan.quietMinutes);
    const quietPeaks = await leader.pages.peaks();
    say(`quiet: ${quiet.writes} writes`);
    const changesMs = await changeCertificates(world, sites, plan.changes);
    const limits = await changeLimits(world, envoy, sites, Math.ceil(plan.changes / 2));
    const newSiteMs = await addSite(world, sites);
    const changePeaks = await leader.pages.peaks();
    say(
      `changed: ${changesMs.join(' ')} ms, limits ${limits.map(({ envoyMs, statusMs }) => `${envoyMs}+${statusMs - envoyMs}`).join(' ')} ms, a new site ${Math.round(newSiteMs)} ms`,
    );
    const killed = await loseLeader(world, leader, other, 'SIGKILL');
    say(`killed: ${JSON.stringify(killed)}`);
    const third = await start('operator-c');
    await until('the third', 120_000, async () => await isUp(third), 500);
    const frozen = await loseLeader(world, other, third, 'SIGSTOP');
    other.part.kill('SIGCONT');
    const formerEnded = await Promise.race([other.part.ended, sleep(30_000, 'goes on')]);
    say(`frozen: ${JSON.stringify(frozen)}`);
    const blocks = (of: (peaks: Peaks) => number): Blocks => ({
      start: of(idle),
      load: of(loadPeaks),
      quiet: of(quietPeaks),
      changes: of(changePeaks),
    });
    return {
      sites,
      pacs,
      idleRssBytes: idle.rssBytes,
      readyMs: Math.round(load),
      requests: Object.fromEntries(requests),
      requestsPerSite: Math.round((sum(requests.values()) / sites) * 10) / 10,
      cpuSeconds: Math.round(cpuSeconds),
      peakRssBytes: Math.max(loadPeaks.rssBytes, quietPeaks.rssBytes, changePeaks.rssBytes),
      ownBlockMs: blocks(({ ownBlockMs }) => ownBlockMs),
      blockMs: blocks(({ blockMs }) => blockMs),
      quietMinutes: plan.quietMinutes,
      quietWrites: quiet.writes,
      quietCpu: quiet.cpu,
      changesMs,
      limits,
      newSiteMs: Math.round(newSiteMs),
      killed,
      frozen: { ...frozen, formerEnded },
    };
  } finally {
    await Promise.all(watched.map(async ({ pages }) => await pages.stop()));
    await world.stop();
  }
}

async function loadAll(
  world: RegionWorld,
  leader: Watched,
  sites: number,
  pacs: number,
  say: RegionPlan['say'],
): Promise<number> {
  const startedAt = performance.now();
  // The last site is kept for later.
  await world.applySites(sites);
  say('applied');
  let saidAt = 0;
  const limitMs = 120_000 + sites * 1_500;
  // All of them are read each time: looking must not be the work.
  const every = 200 + sites * 8;
  const all = sites * (1 + pacs);
  const look = async (): Promise<boolean> => {
    const { ready } = await world.readiness();
    if (performance.now() - saidAt > 15_000) {
      saidAt = performance.now();
      const lost = await Promise.race([leader.part.ended, sleep(0, undefined)]);
      if (lost !== undefined) throw new Error(`the leader ended (${lost}):\n${leader.part.log().slice(-2_000)}`);
      const { rssBytes } = await leader.pages.peek();
      say(`${ready} of ${all} Ready, ${Math.round(rssBytes / 1_048_576)} MiB`);
    }
    return ready === all;
  };
  await until('all Ready', limitMs, look, every);
  return performance.now() - startedAt;
}

async function requestsOf(operators: readonly Watched[]): Promise<ReadonlyMap<string, number>> {
  const total = new Map<string, number>();
  for (const { pages } of operators)
    for (const [key, value] of requestsIn(await pages.read())) total.set(key, (total.get(key) ?? 0) + value);
  return total;
}

async function cpuOf({ pages }: Watched): Promise<number> {
  return (await pages.read()).get('process_cpu_seconds_total') ?? 0;
}

async function writesOf(operators: readonly Watched[]): Promise<number> {
  const counts = await Promise.all(operators.map(async ({ pages }) => writesIn(await pages.read())));
  return sum(counts);
}

/** Nothing written for ten seconds. */
async function settle(operators: readonly Watched[]): Promise<void> {
  let before = -1;
  const look = async (): Promise<boolean> => {
    const now = await writesOf(operators);
    const still = now === before;
    before = now;
    return still;
  };
  await until('ten seconds without a write', 300_000, look, 10_000);
}

async function keepQuiet(
  operators: readonly Watched[],
  leader: Watched,
  minutes: number,
): Promise<{ readonly writes: number; readonly cpu: number }> {
  const [writes, cpu] = [await writesOf(operators), await cpuOf(leader)];
  await sleep(minutes * 60_000);
  const used = ((await cpuOf(leader)) - cpu) / (minutes * 60);
  return { writes: (await writesOf(operators)) - writes, cpu: Math.round(used * 1000) / 1000 };
}

async function isUp({ part }: Watched): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${part.metricsPort}/readyz`)).ok;
}
