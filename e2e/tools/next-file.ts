/**
 * Which test file is run next. Most of them work all the time and want a core each. Those on real nodes, and a few others, wait for most of
 * theirs (pods that come and go, leases that end): one of them runs beside as many others as there are cores, two once the long ones of
 * those are through, and never three at once, for then nodes answer late. When none of them is left a short one takes their place.
 */

/** The longest first, so that none is what everything else waits for in the end. What is named nowhere takes less than half a minute. */
const long = [
  'e2e/scenarios/kill-at-arrows.test',
  'e2e/scenarios/cluster-objects',
  'e2e/scenarios/cluster-pods',
  'e2e/scenarios/cluster-gateways',
  'e2e/scenarios/cluster-operators',
  'e2e/scenarios/cluster-mistakes',
  'e2e/scenarios/soak',
  'e2e/scenarios/kubernetes-replicas',
  'e2e/parts/cluster/single-node',
  'common/whitelist/hostile.judges',
  'e2e/scenarios/kubernetes-objects',
  'e2e/scenarios/kubernetes-earlier-crds',
  'e2e/scenarios/kill-at-arrows-database',
  'e2e/scenarios/rotation',
  'e2e/scenarios/operator-away',
  'e2e/scenarios/ingress-faults',
  'e2e/scenarios/two-gateways',
  'e2e/scenarios/demo',
  'e2e/scenarios/kubernetes-gateways',
];

/** By how their paths begin. */
const waiting = [
  'e2e/scenarios/cluster',
  'e2e/scenarios/soak',
  'e2e/scenarios/kubernetes-replicas',
  'e2e/parts/cluster/',
];

export interface Running {
  readonly working: number;
  readonly waiting: number;
}

export function waits(file: string): boolean {
  return waiting.some((start) => file.startsWith(start));
}

function rank(file: string): number {
  const at = long.findIndex((start) => file.startsWith(start));
  return at < 0 ? long.length : at;
}

function isLong(file: string): boolean {
  return rank(file) < long.length;
}

export function longestFirst(files: readonly string[]): string[] {
  return files.toSorted((a, b) => rank(a) - rank(b));
}

/** Files at once at most. */
export function filesAtOnce(jobs: number): number {
  return jobs > 1 ? jobs + 1 : 1;
}

/**
 * @param left in order @param running at most `filesAtOnce(jobs) - 1` of them @param jobs files that work at once, from 1
 * @returns undefined: what is left must not run beside what runs
 */
export function nextFile(left: readonly string[], running: Running, jobs: number): string | undefined {
  const waiter = left.find(waits);
  const worker = left.find((file) => !waits(file));
  if (waiter !== undefined && running.waiting === 0 && (jobs > 1 || running.working === 0)) return waiter;
  const another = running.waiting < Math.min(jobs, 2) ? waiter : undefined;
  // Nothing waits any more: a short one in its place, for each begins with a moment in which it waits for its own start.
  const most = waiter === undefined && running.waiting === 0 ? filesAtOnce(jobs) : jobs;
  const one =
    worker !== undefined && running.working < most && (running.working < jobs || !isLong(worker)) ? worker : undefined;
  // In the end all that is left waits, and a core would be idle: so the short ones share one.
  return one === undefined || (another !== undefined && running.working > 0 && !isLong(one)) ? another : one;
}
