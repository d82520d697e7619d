/** Figures of a benchmark and what is derived from them; pure. */
import type { Machine } from './machine.ts';
import type { ProcessCost } from './process-cost.ts';

export type LegName = 'bare' | 'memory' | 'ours-direct' | 'ours' | 'ours-slow-client';

/** One measurement. */
export interface Run {
  readonly wallMs: number;
  /** Until the whole first image is at the client; the bare C-MOVE can't say. */
  readonly firstImageMs?: number;
  readonly images: number;
  readonly bytes: number;
  /** Every image's data set has the SHA-256 it was generated with; a bare C-MOVE is counted, not hashed. */
  readonly equal?: boolean;
  readonly processes: Readonly<Record<string, ProcessCost>>;
}

export interface LegResult {
  readonly leg: LegName;
  readonly runs: readonly Run[];
  readonly median: Pick<Run, 'wallMs' | 'firstImageMs'>;
  /** Of each process: median CPU time, largest peak. */
  readonly costs: Readonly<Record<string, ProcessCost>>;
}

export interface Setting {
  /** `none` or what tc was told, e.g. `1gbit`. */
  readonly link: string;
  /** The PACS leaves Nagle's algorithm on, as Debian ships it. */
  readonly nagle: boolean;
  readonly legs: readonly LegResult[];
  /** Of medians of wall time; absent where a leg was not run. */
  readonly ratios: Ratios;
}

export interface Ratios {
  /** ours / bare C-MOVE */
  readonly oursToBare?: number;
  /** ours through Envoy / ours without */
  readonly oursToDirect?: number;
  /** ours / (bare C-MOVE + the same bytes from memory through Envoy): below 1 means that the halves overlap. */
  readonly oursToBothHalves?: number;
}

export interface BenchResult {
  readonly bench: 'retrieve';
  readonly machine: Machine;
  readonly images: number;
  readonly bytes: number;
  readonly runs: number;
  readonly settings: readonly Setting[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  /** Every image of every leg that sends images was equal, and none was missing. */
  readonly equal: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? middle : (middle + (sorted[sorted.length / 2 - 1] ?? Number.NaN)) / 2;
}

export function legResult(leg: LegName, runs: readonly Run[]): LegResult {
  const firsts = runs.flatMap(({ firstImageMs }) => firstImageMs ?? []);
  const wallMs = median(runs.map((run) => run.wallMs));
  const names = Object.keys(runs[0]?.processes ?? {});
  const costs = Object.fromEntries(
    names.map((name) => [name, costOf(runs.flatMap((run) => run.processes[name] ?? []))]),
  );
  return { leg, runs, median: { wallMs, ...(firsts.length > 0 && { firstImageMs: median(firsts) }) }, costs };
}

function costOf(costs: readonly ProcessCost[]): ProcessCost {
  return {
    cpuSeconds: median(costs.map(({ cpuSeconds }) => cpuSeconds)),
    peakBytes: Math.max(...costs.map(({ peakBytes }) => peakBytes)),
  };
}

export function ratiosOf(legs: readonly LegResult[]): Ratios {
  const wall = (name: LegName): number | undefined => legs.find(({ leg }) => leg === name)?.median.wallMs;
  const [bare, memory, direct, ours] = [wall('bare'), wall('memory'), wall('ours-direct'), wall('ours')];
  const halves = bare === undefined || memory === undefined ? undefined : bare + memory;
  const ratio = (of: number | undefined): number | undefined =>
    ours === undefined || of === undefined ? undefined : Math.round((ours / of) * 1000) / 1000;
  const [oursToBare, oursToDirect, oursToBothHalves] = [ratio(bare), ratio(direct), ratio(halves)];
  return {
    ...(oursToBare !== undefined && { oursToBare }),
    ...(oursToDirect !== undefined && { oursToDirect }),
    ...(oursToBothHalves !== undefined && { oursToBothHalves }),
  };
}

/** Complete and, where images could be hashed, equal. */
export function isFaithful(settings: readonly Setting[], images: number): boolean {
  return settings.every(({ legs }) =>
    legs.every(({ leg, runs }) => runs.every((run) => run.images === images && (leg === 'bare' || run.equal === true))),
  );
}
