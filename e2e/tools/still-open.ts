/** What keeps a Node process from ending, read out of its diagnostic report (`--report-on-signal`), which it writes even when it hangs. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

interface Endpoint {
  readonly ip4?: string;
  readonly ip6?: string;
  readonly port?: number;
}

interface Handle {
  readonly type: string;
  readonly is_active: boolean;
  readonly is_referenced?: boolean;
  readonly pid?: number;
  readonly localEndpoint?: Endpoint | string | null;
  readonly remoteEndpoint?: Endpoint | string | null;
  readonly firesInMsFromNow?: number;
}

/** The part of Node's report that is read here. */
export interface ProcessReport {
  readonly libuv: readonly Handle[];
  readonly workers: readonly unknown[];
}

/** Flags for a process of which `readReport` will be wanted; SIGUSR2 asks it for one. */
export function reportFlags(directory: string): readonly string[] {
  const what = ['--report-on-signal', '--report-compact', '--report-exclude-env', '--report-exclude-network'];
  return [...what, `--report-directory=${directory}`];
}

/** @returns undefined as long as there is none that is whole */
export function readReport(directory: string): ProcessReport | undefined {
  const name = readdirSync(directory).find((file) => file.endsWith('.json'));
  if (name === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(join(directory, name), 'utf8')) as ProcessReport;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // still being written
    throw error;
  }
}

/**
 * One line for each program, server, connection, pipe, timer and thread that keeps the process up.
 * @param commandOf command line of a process
 */
export function stillOpen({ libuv, workers }: ProcessReport, commandOf: (pid: number) => string): readonly string[] {
  const holding = libuv.filter((handle) => handle.is_active && handle.is_referenced === true);
  const lines = holding.flatMap((handle) => told(handle, commandOf));
  return [...lines, ...workers.map(() => 'a worker thread')];
}

function told(handle: Handle, commandOf: (pid: number) => string): readonly string[] {
  const { type, localEndpoint: here, remoteEndpoint: there } = handle;
  if (type === 'process') return [`program ${handle.pid ?? '?'}: ${commandOf(handle.pid ?? 0)}`];
  if (type === 'timer') return [`a timer that fires in ${Math.round((handle.firesInMsFromNow ?? 0) / 1000)} s`];
  // how threads and the loop itself speak with each other: the thread is told
  if (type === 'async') return [];
  if (type !== 'tcp' && type !== 'udp' && type !== 'pipe') return [type];
  if (there) return [`${type} connection ${nameOf(here)} to ${nameOf(there)}`];
  return [here ? `${type} server at ${nameOf(here)}` : type];
}

function nameOf(end: Endpoint | string | null | undefined): string {
  if (typeof end === 'string') return end;
  return end ? `${end.ip4 ?? end.ip6 ?? '?'}:${end.port ?? '?'}` : '?';
}

/** As the kernel knows it; of a process that is gone it says so. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'gone';
    throw error;
  }
}
