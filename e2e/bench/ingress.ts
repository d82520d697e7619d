/** `drimbox bench ingress`: what a change to one link costs, and how that grows with the number of links. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type Machine, describeMachine } from './machine.ts';
import { quantile } from './quantile.ts';

export const ingressUsage = `usage: drimbox bench ingress [--json] [--pairs N,N,...] [--changes N]

The control plane alone with a real Envoy: N pairs of FQDNs (db and vi), then in turn one link gets a new certificate, one is added,
one is removed, and the trust that all share gets a new CRL. Measured: change to Envoy's acknowledgement, processor time of Envoy's
main thread in it, bytes Envoy received for it (its own counter), secrets pushed that are not of the changed link, the longest time
in which the operator's process could do nothing else, memory of both; with and without the question to Envoy's binary that precedes
each change (preflight); and the slope of each per pair.

  --json           one JSON object on standard output
  --pairs N,N,...  sizes (default 10,100,1000)
  --changes N      changes of each kind at each size (default 30; 10 with the preflight)

Exit codes: 0 measured, and a new certificate pushed no other link's secret; 1 not; 2 wrong usage.
`;

const kinds = ['rotation', 'addition', 'removal', 'crl'] as const;
type Kind = (typeof kinds)[number];

const words: Readonly<Record<Kind, string>> = {
  rotation: 'a new certificate',
  addition: 'a link more',
  removal: 'a link less',
  crl: 'a new CRL of all',
};

interface Change {
  readonly ackMs: number;
  readonly blockMs: number;
  readonly envoyMs: number;
  readonly bytes: number;
  readonly ownSecrets: number;
  readonly otherSecrets: number;
}

/** What operator/ingress/scale.testing.ts prints. */
export interface ScaleRun {
  readonly pairs: number;
  readonly preflight: boolean;
  readonly coldMs: number;
  readonly coldBytes: number;
  readonly coldBlockMs: number;
  readonly kinds: Readonly<Record<Kind, readonly Change[]>>;
  readonly operatorRssBytes: number;
  readonly envoyRssBytes: number;
}

export interface Cost {
  readonly ackMs: { readonly p50: number; readonly p99: number };
  /** Median. */
  readonly bytes: number;
  /** Median. */
  readonly envoyMs: number;
  /** Most of any change. */
  readonly otherSecrets: number;
  readonly blockMs: number;
}

interface Point {
  readonly pairs: number;
  readonly preflight: boolean;
  readonly cold: { readonly ms: number; readonly bytes: number; readonly blockMs: number };
  readonly costs: Readonly<Record<Kind, Cost>>;
  readonly operatorRssBytes: number;
  readonly envoyRssBytes: number;
}

/** Growth per pair, by least squares over the sizes. */
interface Slope {
  readonly ms: Readonly<Record<Kind, number>>;
  readonly bytes: Readonly<Record<Kind, number>>;
  readonly operatorRss: number;
  readonly envoyRss: number;
}

interface IngressResult {
  readonly bench: 'ingress';
  readonly machine: Machine;
  readonly points: readonly Point[];
  readonly slopes: readonly (Slope & { readonly preflight: boolean })[];
  /** A new certificate of one link pushed no secret of another. */
  readonly confined: boolean;
}

const program = join(import.meta.dirname, '../../operator/ingress/scale.testing.ts');

/** One size, in a process of its own. @throws Error when Envoy refuses or does not acknowledge the plan */
export async function runScale(pairs: number, changes: number, preflight: boolean): Promise<ScaleRun> {
  const args = ['--pairs', String(pairs), '--changes', String(changes), ...(preflight ? [] : ['--no-preflight'])];
  const argv = ['--disable-warning=ExperimentalWarning', program, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { maxBuffer: 16 * 1024 * 1024 });
  return JSON.parse(stdout) as ScaleRun;
}

/** @returns the exit code */
export async function benchIngress(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      pairs: { type: 'string', default: '10,100,1000' },
      changes: { type: 'string', default: '30' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(ingressUsage);
    return 0;
  }
  const sizes = values.pairs.split(',').map(Number);
  const changes = Number(values.changes);
  if (![...sizes, changes].every((n) => Number.isInteger(n) && n >= 1 && n <= 10_000)) {
    process.stderr.write(`drimbox bench ingress: whole numbers from 1 to 10000 are expected\n${ingressUsage}`);
    return 2;
  }
  const points: Point[] = [];
  for (const preflight of [false, true])
    for (const pairs of sizes) {
      const point = toPoint(await runScale(pairs, preflight ? Math.min(changes, 10) : changes, preflight));
      points.push(point);
      if (!values.json) process.stdout.write(`${pointText(point)}\n`);
    }
  const slopes = [false, true].map((preflight) => ({
    preflight,
    ...slopeOf(points.filter((point) => point.preflight === preflight)),
  }));
  const confined = points.every(({ costs }) => costs.rotation.otherSecrets === 0);
  const result: IngressResult = { bench: 'ingress', machine: describeMachine(), points, slopes, confined };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : slopeText(result));
  return confined ? 0 : 1;
}

export function costOf(changes: readonly Change[]): Cost {
  const of = (field: keyof Change): readonly number[] => changes.map((change) => change[field]);
  return {
    ackMs: { p50: quantile(of('ackMs'), 0.5), p99: quantile(of('ackMs'), 0.99) },
    bytes: quantile(of('bytes'), 0.5),
    envoyMs: quantile(of('envoyMs'), 0.5),
    otherSecrets: Math.max(0, ...of('otherSecrets')),
    blockMs: Math.max(0, ...of('blockMs')),
  };
}

function perKind<T>(value: (kind: Kind) => T): Readonly<Record<Kind, T>> {
  return { rotation: value('rotation'), addition: value('addition'), removal: value('removal'), crl: value('crl') };
}

function toPoint(run: ScaleRun): Point {
  const { pairs, preflight, coldMs, coldBytes, coldBlockMs, operatorRssBytes, envoyRssBytes } = run;
  return {
    pairs,
    preflight,
    cold: { ms: Math.round(coldMs), bytes: coldBytes, blockMs: coldBlockMs },
    costs: perKind((kind) => costOf(run.kinds[kind])),
    operatorRssBytes,
    envoyRssBytes,
  };
}

function slopeOf(points: readonly Point[]): Slope {
  const per = (value: (point: Point) => number): number =>
    leastSquares(points.map((point) => [point.pairs, value(point)]));
  return {
    ms: perKind((kind) => per(({ costs }) => costs[kind].ackMs.p50)),
    bytes: perKind((kind) => per(({ costs }) => costs[kind].bytes)),
    operatorRss: per((point) => point.operatorRssBytes),
    envoyRss: per((point) => point.envoyRssBytes),
  };
}

/** Slope of the line nearest to these points, rounded to 0.001; 0 of a single one. */
export function leastSquares(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
  const along = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0);
  return spread === 0 ? 0 : Math.round((along / spread) * 1000) / 1000;
}

function pointText({ pairs, preflight, cold, costs, operatorRssBytes, envoyRssBytes }: Point): string {
  const cost = ({ ackMs, bytes, envoyMs, otherSecrets, blockMs }: Cost): string =>
    `p50 ${Math.round(ackMs.p50)} ms, p99 ${Math.round(ackMs.p99)} ms, of it Envoy's main thread ${envoyMs} ms, ${bytes} bytes, ` +
    `${otherSecrets} secrets of others, longest block ${Math.round(blockMs)} ms`;
  return [
    `${pairs} pairs, ${preflight ? 'with' : 'without'} preflight: all of it in ${cold.ms} ms, ${cold.bytes} bytes, longest block ${Math.round(cold.blockMs)} ms`,
    ...kinds.map((kind) => `  ${words[kind].padEnd(20)}${cost(costs[kind])}`),
    `  memory              operator ${(operatorRssBytes / 1e6).toFixed(0)} MB, Envoy ${(envoyRssBytes / 1e6).toFixed(0)} MB`,
  ].join('\n');
}

function slopeText({ slopes, confined }: IngressResult): string {
  const lines = slopes.map(
    ({ preflight, ms, bytes, operatorRss, envoyRss }) =>
      `per pair more, ${preflight ? 'with' : 'without'} preflight: ` +
      kinds.map((kind) => `${words[kind]} ${ms[kind]} ms and ${bytes[kind]} bytes`).join(', ') +
      `; operator ${(operatorRss / 1e3).toFixed(1)} kB, Envoy ${(envoyRss / 1e3).toFixed(1)} kB`,
  );
  const verdict = confined ? "a new certificate pushes no other link's secret" : "OTHER LINKS' SECRETS WERE PUSHED";
  return `\n${[...lines, verdict].join('\n')}\n`;
}
