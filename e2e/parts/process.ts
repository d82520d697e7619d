/**
 * A real program as a part of a test or of the demo: started, waited for, logged to a file, and gone with its parent
 * whatever happens (the kernel sends it SIGKILL when this process dies, by setpriv's parent-death signal).
 *
 * It keeps nobody up: a test that fails between start and stop ends all the same, and the part with it. Only who waits for its end
 * (`ended`, `stop`) is kept up by it. It writes into its log by itself, so what it said is there as soon as it said it, also when it
 * ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Runs in this network namespace (parts/links.ts); needs root. */
  readonly networkNamespace?: string;
  /** Everything it prints. */
  readonly logFile: string;
  /** Polled until it returns true; throwing counts as not yet. `said` is what this run has printed, without those before it. */
  readonly ready: (said: () => string) => Promise<boolean> | boolean;
  readonly readyTimeoutMs?: number;
  /** Time between SIGTERM and SIGKILL. */
  readonly stopTimeoutMs?: number;
}

export interface Part {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the process ends, with its exit code or signal; from when it is read, this process stays up for it. */
  readonly ended: Promise<string>;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
  log(): string;
}

/** @throws Error with the end of the part's log when it ends early or is not ready in time. */
export async function startProcess(options: ProcessOptions): Promise<Part> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const before = fstatSync(log).size;
  // nsenter and not `ip netns exec`, which gives the program another /sys; the process keeps its id through both
  const inside = options.networkNamespace === undefined ? [] : enterNamespace(options.networkNamespace);
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...inside, options.command, ...options.args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? String(code)));
  });
  const part = toPart(options, child, ended);
  await untilReady(options, part, {
    ended,
    said: () => readFileSync(options.logFile).subarray(before).toString(),
  });
  return part;
}

/** What stands before a command that is to run in a network namespace. */
export function enterNamespace(name: string): readonly string[] {
  return ['nsenter', `--net=/run/netns/${name}`, '--'];
}

function toPart(options: ProcessOptions, child: ChildProcess, ended: Promise<string>): Part {
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    name: options.name,
    pid: child.pid ?? 0,
    logFile: options.logFile,
    get ended() {
      child.ref();
      return ended;
    },
    kill: (signal) => void child.kill(signal),
    log: () => readFileSync(options.logFile, 'utf8'),
    async stop() {
      if (!running()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), options.stopTimeoutMs ?? 5_000);
      child.ref();
      await ended;
      clearTimeout(timer);
    },
  };
}

interface Watched {
  readonly ended: Promise<string>;
  readonly said: () => string;
}

async function untilReady(options: ProcessOptions, part: Part, { ended, said }: Watched): Promise<void> {
  const state: { over: string | undefined } = { over: undefined };
  void ended.then((how) => (state.over = how));
  const deadline = Date.now() + (options.readyTimeoutMs ?? 30_000);
  for (;;) {
    if (state.over !== undefined)
      throw new Error(`${options.name} ended (${state.over}) before it was ready:\n${tail(part)}`);
    if (await isReady(options, said)) return;
    if (Date.now() > deadline) {
      await part.stop();
      throw new Error(`${options.name} was not ready after ${options.readyTimeoutMs ?? 30_000} ms:\n${tail(part)}`);
    }
    await sleep(50);
  }
}

async function isReady(options: ProcessOptions, said: () => string): Promise<boolean> {
  try {
    return await options.ready(said);
  } catch {
    return false; // not yet: the deadline decides
  }
}

function tail(part: Part): string {
  return part.log().split('\n').slice(-20).join('\n');
}
