/** `drimbox bench region`: the operator with a region's sites on a real API server, against its budgets. */
import { parseArgs } from 'node:util';
import { type Machine, describeMachine } from './machine.ts';
import { quantile } from './quantile.ts';
import type { LimitsTook } from './region-changes.ts';
import { type RegionRun, runRegion } from './region-run.ts';

export const regionUsage = `usage: drimbox bench region [--json] [--sites N,N,...] [--pacs N] [--quiet-minutes N] [--changes N] [--kwok N] [--quick]

Two operators with service accounts, a real kube-apiserver and a real Envoy; nodes and gateways are said by a part of the bench. Sites
are applied all at once and waited for until Ready; then nothing happens for a while, links change, a site is added, and the leader is
lost twice: killed, and frozen as by a partition. Handshakes through Envoy go on meanwhile.

  --json             one JSON object on standard output
  --sites N,N,...    sizes (default 100,300,1000)
  --pacs N           of each site (default 2)
  --quiet-minutes N  in which nothing may be written (default 10)
  --changes N        of a PacsLink's certificate (default 20), and half as many of its limits
  --kwok N           pods are made by Kubernetes' own controller and scheduler for so many nodes of KWOK, instead of said to run
  --quick            100 sites, 1 quiet minute, 10 changes

Exit codes: 0 every budget is kept, 1 not, 2 wrong usage.
`;

/** Of --max-old-space-size, MB: what Node takes by itself in a pod of 512 MiB. */
const heapMb = 256;
const nodeFlags = [`--max-old-space-size=${heapMb}`];

interface Verdict {
  readonly sites: number;
  readonly what: string;
  readonly budget: string;
  readonly measured: string;
  readonly kept: boolean;
}

interface RegionResult {
  readonly bench: 'region';
  readonly machine: Machine;
  readonly nodeFlags: readonly string[];
  readonly runs: readonly RegionRun[];
  readonly verdicts: readonly Verdict[];
}

/** @returns the exit code */
export async function benchRegion(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      sites: { type: 'string' },
      pacs: { type: 'string', default: '2' },
      'quiet-minutes': { type: 'string' },
      changes: { type: 'string' },
      kwok: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(regionUsage);
    return 0;
  }
  const sizes = (values.sites ?? (values.quick ? '100' : '100,300,1000')).split(',').map(Number);
  const quietMinutes = Number(values['quiet-minutes'] ?? (values.quick ? 1 : 10));
  const changes = Number(values.changes ?? (values.quick ? 10 : 20));
  const pacs = Number(values.pacs);
  const kwok = values.kwok === undefined ? undefined : Number(values.kwok);
  const whole = [...sizes, changes, pacs, ...(kwok === undefined ? [] : [kwok])].every(
    (n) => Number.isInteger(n) && n >= 1 && n <= 5_000,
  );
  if (!whole || !(quietMinutes >= 0) || sizes.some((size) => size < 3)) {
    process.stderr.write(`drimbox bench region: whole numbers are expected, of sites at least 3\n${regionUsage}`);
    return 2;
  }
  const machine = describeMachine();
  const startedAt = performance.now();
  const say = (text: string): void =>
    void process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
  const runs: RegionRun[] = [];
  const plan = { pacs, quietMinutes, changes, nodeFlags, say, ...(kwok !== undefined && { kwok }) };
  for (const sites of sizes) runs.push(await runRegion({ sites, ...plan }));
  const verdicts = runs.flatMap(verdictsOf);
  const result: RegionResult = { bench: 'region', machine, nodeFlags, runs, verdicts };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : regionText(result));
  return verdicts.every(({ kept }) => kept) ? 0 : 1;
}

/** Budgets of the issue that asked for a region. Pure. */
export function verdictsOf(run: RegionRun): Verdict[] {
  const mib = run.peakRssBytes / 1_048_576;
  const { start, load, quiet, changes } = run.ownBlockMs;
  const steady = Math.max(quiet, changes);
  const making = Math.max(start, load);
  const certificates = quantile(run.changesMs, 0.99);
  const limitsOf = (of: (took: LimitsTook) => number): number => quantile(run.limits.map(of), 0.99);
  const limits = limitsOf(({ envoyMs }) => envoyMs);
  const told = limitsOf(({ statusMs }) => statusMs);
  const [fresh, lease] = [
    Math.max(run.killed.freshMs, run.frozen.freshMs),
    Math.max(run.killed.leaseMs, run.frozen.leaseMs),
  ];
  const failed = run.killed.failed.length + run.frozen.failed.length;
  const verdict = (what: string, budget: string, measured: string, kept: boolean): Verdict => ({
    sites: run.sites,
    what,
    budget,
    measured,
    kept,
  });
  return [
    verdict('memory (RSS), peak', '400 MiB', `${mib.toFixed(0)} MiB`, mib <= 400),
    verdict('longest block (own computing) until all are Ready', '50 ms', `${making} ms`, making <= 50),
    verdict('longest block (own computing) afterwards', '50 ms', `${steady} ms`, steady <= 50),
    verdict(`writes in ${run.quietMinutes} quiet minutes`, '0', String(run.quietWrites), run.quietWrites === 0),
    verdict('another certificate in a spec to Envoy, p99', '1000 ms', `${certificates} ms`, certificates <= 1000),
    verdict('other limits in a spec to Envoy, p99', '1000 ms', `${limits} ms`, limits <= 1000),
    verdict('other limits in a spec to the status that says so, p99', '2000 ms', `${told} ms`, told <= 2000),
    verdict('fresh change behind the rest after a failover', '2000 ms', `${fresh} ms`, fresh <= 2000),
    verdict('failover', '20 000 ms', `${lease} ms`, lease <= 20_000),
    verdict('handshakes failed meanwhile', '0', String(failed), failed === 0),
    verdict('a frozen leader ends when let go', 'yes', run.frozen.formerEnded, run.frozen.formerEnded !== 'goes on'),
  ];
}

function regionText({ runs, verdicts }: RegionResult): string {
  const lines = runs.map(
    (run) =>
      `${run.sites} sites x ${run.pacs} PACS: all Ready in ${(run.readyMs / 1000).toFixed(1)} s, ${run.requestsPerSite} requests to the ` +
      `API server per site, ${run.cpuSeconds} s of processor time, ${(run.idleRssBytes / 1e6).toFixed(0)} MB idle, ` +
      `a new site served in ${run.newSiteMs} ms, ${run.quietCpu} of a core when quiet; longest blocks by the clock: ` +
      Object.entries(run.blockMs)
        .map(([when, ms]) => `${when} ${ms} ms`)
        .join(', '),
  );
  const judged = verdicts.map(
    ({ sites, what, budget, measured, kept }) =>
      `${String(sites).padStart(5)}  ${what.padEnd(50)} ${measured.padStart(10)}  of ${budget.padEnd(10)} ${kept ? 'kept' : 'NOT KEPT'}`,
  );
  return `${[...lines, '', ...judged].join('\n')}\n`;
}
