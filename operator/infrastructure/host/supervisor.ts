/**
 * Programs kept running: started, started again with growing waits when they die, stopped in order. The kernel ends them with
 * this process (setpriv's parent-death signal), so none is left behind to hold a port.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { restartDelayMs, restartWanted, stableMs } from './back-off.ts';

/** Beyond it a program's log begins anew at its next start; the former one stays as `.1`. */
const maxLogBytes = 64 * 1024 * 1024;

export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints, appended. */
  readonly logFile: string;
  /** Time between SIGTERM and SIGKILL. */
  readonly stopTimeoutMs: number;
}

export interface ProgramState {
  readonly running: boolean;
  readonly pid?: number;
  /** Deaths since it was last stable, wished-for restarts not counted. */
  readonly restarts: number;
  /** Exit code or signal of the latest end. */
  readonly lastEnd?: string;
}

export interface Supervisor {
  /** Starts it unless it runs; a program of this name with another command or arguments is stopped first. */
  ensure(program: Program): void;
  /** Stops and forgets it; settles when it is gone. A program of this name made meanwhile waits for that. */
  remove(name: string): Promise<void>;
  state(name: string): ProgramState | undefined;
  names(): readonly string[];
  /** Settles when everything being removed is gone. */
  settled(): Promise<void>;
}

export interface SupervisorOptions {
  readonly random: () => number;
  readonly now: () => number;
  /** Told of every start and end. */
  readonly onEvent: (event: {
    readonly name: string;
    readonly what: string;
    readonly pid?: number;
    readonly delayMs?: number;
  }) => void;
}

interface Entry {
  program: Program;
  child: ChildProcess | undefined;
  ended: Promise<void>;
  startedAt: number;
  failures: number;
  lastEnd: string | undefined;
  timer: NodeJS.Timeout | undefined;
  wanted: boolean;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const entries = new Map<string, Entry>();
  const leaving = new Map<string, Promise<void>>();

  const start = (entry: Entry): void => {
    entry.timer = undefined;
    entry.startedAt = options.now();
    const { program } = entry;
    const child = launch(program);
    entry.child = child;
    options.onEvent({ name: program.name, what: 'started', ...(child.pid === undefined ? {} : { pid: child.pid }) });
    entry.ended = new Promise((resolve) => {
      const over = (end: string): void => {
        if (entry.child !== child) return; // 'error' and 'exit' may both come
        entry.child = undefined;
        entry.lastEnd = end;
        resolve();
        if (entry.wanted) again(entry, end);
      };
      child.once('error', (error) => over(error.message));
      child.once('exit', (code, signal) => over(signal ?? String(code)));
    });
  };

  const again = (entry: Entry, end: string): void => {
    if (options.now() - entry.startedAt >= stableMs) entry.failures = 0;
    const delayMs = restartDelayMs(entry.failures, end, options.random());
    if (end !== restartWanted) entry.failures += 1;
    options.onEvent({ name: entry.program.name, what: `ended (${end})`, delayMs });
    entry.timer = setTimeout(() => start(entry), delayMs);
  };

  const halt = async (entry: Entry): Promise<void> => {
    entry.wanted = false;
    clearTimeout(entry.timer);
    const { child } = entry;
    if (child === undefined) return;
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), entry.program.stopTimeoutMs);
    await entry.ended;
    clearTimeout(kill);
    options.onEvent({ name: entry.program.name, what: `stopped (${entry.lastEnd ?? ''})` });
  };

  return {
    ensure(program) {
      const former = entries.get(program.name);
      if (former !== undefined && same(former.program, program)) return;
      const entry: Entry = {
        program,
        child: undefined,
        ended: Promise.resolve(),
        startedAt: 0,
        failures: 0,
        lastEnd: undefined,
        timer: undefined,
        wanted: true,
      };
      entries.set(program.name, entry);
      const going = former === undefined ? leaving.get(program.name) : halt(former);
      if (going === undefined) start(entry);
      else void going.then(() => (entry.wanted ? start(entry) : undefined));
    },
    async remove(name) {
      const entry = entries.get(name);
      if (entry === undefined) return;
      entries.delete(name);
      const gone = Promise.all([leaving.get(name), halt(entry)]).then(() => undefined);
      leaving.set(name, gone);
      await gone;
      if (leaving.get(name) === gone) leaving.delete(name);
    },
    state(name) {
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      const pid = entry.child?.pid;
      return {
        running: pid !== undefined,
        ...(pid === undefined ? {} : { pid }),
        restarts: entry.failures,
        ...(entry.lastEnd === undefined ? {} : { lastEnd: entry.lastEnd }),
      };
    },
    names: () => [...entries.keys()],
    async settled() {
      await Promise.all(leaving.values());
    },
  };
}

function same(a: Program, b: Program): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function launch(program: Program): ChildProcess {
  mkdirSync(dirname(program.logFile), { recursive: true, mode: 0o700 });
  if ((statSync(program.logFile, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes)
    renameSync(program.logFile, `${program.logFile}.1`);
  const log = openSync(program.logFile, 'a', 0o600);
  try {
    return spawn('setpriv', ['--pdeathsig', 'KILL', '--', program.command, ...program.args], {
      env: { ...process.env, ...program.env },
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log); // the child has its own
  }
}
