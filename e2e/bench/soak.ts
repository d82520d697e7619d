/** `drimbox bench soak`: waves of sites for as long as asked; what is deleted leaves nothing behind. */
import { parseArgs } from 'node:util';
import { type SoakResult, runSoak } from '../scenarios/soak.ts';
import { type Machine, describeMachine } from './machine.ts';

export const soakUsage = `usage: drimbox bench soak [--json] [--minutes N] [--sites N] [--seed N]

Sites are made, changed and deleted in waves, as a seed decides, on a real API server with Kubernetes' own garbage collector, the
operator and a real Envoy. After every third wave all sites go: then nothing of the operator's may be left, in the cluster, in its
queue or in Envoy, and its heap must be as it was.

  --json       one JSON object on standard output
  --minutes N  (default 30)
  --sites N    at most at once (default 50)
  --seed N     (default 1)

Exit codes: 0 nothing was left and the heap did not grow, 1 not, 2 wrong usage.
`;

/** MB by which an idle heap wavers. */
const waver = 16;

interface SoakReport extends SoakResult {
  readonly bench: 'soak';
  readonly machine: Machine;
  /** From the second time that all was gone (by then all code has run) to the last, MB. */
  readonly heapGrowthMb: number;
  readonly kept: boolean;
}

/** @returns the exit code */
export async function benchSoak(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '30' },
      sites: { type: 'string', default: '50' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(soakUsage);
    return 0;
  }
  const [minutes, sites, seed] = [Number(values.minutes), Number(values.sites), Number(values.seed)];
  const whole = [sites, seed].every((n) => Number.isInteger(n) && n >= 1 && n <= 10_000);
  if (!whole || !(minutes > 0 && minutes <= 10_000)) {
    process.stderr.write(`drimbox bench soak: numbers from 1 to 10000 are expected\n${soakUsage}`);
    return 2;
  }
  const nodeFlags = ['--max-old-space-size=256'];
  const machine = describeMachine();
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const result = await runSoak({ sites, minutes, seed, nodeFlags, say });
  const { tides } = result;
  const clean = tides.every(
    ({ leftovers, queueDepth, envoySecrets }) => leftovers.length + queueDepth + envoySecrets.length === 0,
  );
  const [second, last] = [tides[1], tides.at(-1)];
  const heapGrowthMb = Math.round(((last?.heapBytes ?? 0) - (second?.heapBytes ?? 0)) / 1e5) / 10;
  const kept = clean && heapGrowthMb < waver;
  const report: SoakReport = { bench: 'soak', machine, ...result, heapGrowthMb, kept };
  const text =
    `${result.waves} waves in ${minutes} minutes: ${result.made} made, ${result.changed} changed, ${result.deleted} deleted; ` +
    `${clean ? 'nothing was left' : 'SOMETHING WAS LEFT'} after any of ${tides.length} ebbs; heap ${heapGrowthMb} MB more at the end\n`;
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : text);
  return kept ? 0 : 1;
}
