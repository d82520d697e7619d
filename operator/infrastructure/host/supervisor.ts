/**
 * Programs kept running: started, started again with growing waits when they die, stopped in order. Either the kernel ends them
 * with this process, so none is left behind to hold a port; or they are left running, and the next supervisor takes them over.
 */
import { restartDelayMs, restartWanted, stableMs } from './back-off.ts';
import type { Program } from './program.ts';
import { type Register, type Registered, digestOf, registered } from './register.ts';
import { type Running, adopted, ended, launch } from './running.ts';

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
  /** Ends what a former supervisor left running and nobody asked for since. */
  endUnclaimed(): void;
  /** Lets go of all programs: they go on. Nothing may be asked of this supervisor afterwards. */
  release(): void;
}

export interface SupervisorOptions {
  readonly random: () => number;
  readonly now: () => number;
  /** Where running programs are written down; what a former supervisor wrote there is taken over when it is asked for unchanged. */
  readonly register?: Register;
  /** True: programs survive this process. */
  readonly leaveRunning?: boolean;
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
  child: Running | undefined;
  written: Registered | undefined;
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

  const found = new Map(options.register?.read());

  const write = (): void => {
    const written = [...entries].flatMap(([name, entry]) => (entry.written ? [[name, entry.written] as const] : []));
    options.register?.write(new Map([...found, ...written]));
  };

  const start = (entry: Entry): void => {
    const { program } = entry;
    entry.startedAt = options.now();
    follow(entry, launch(program, options.leaveRunning ?? false), 'started');
  };

  const follow = (entry: Entry, child: Running, what: string): void => {
    const { program } = entry;
    entry.timer = undefined;
    entry.child = child;
    entry.written = child.pid === undefined ? undefined : registered(child.pid, program, program.stopTimeoutMs);
    write();
    options.onEvent({ name: program.name, what, ...(child.pid === undefined ? {} : { pid: child.pid }) });
    entry.ended = new Promise((resolve) => {
      child.onEnd((end) => {
        if (entry.child !== child) return; // a failed start may be told twice
        entry.child = undefined;
        entry.written = undefined;
        write();
        entry.lastEnd = end;
        resolve();
        if (entry.wanted) again(entry, end);
      });
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

  const end = async (name: string, left: Registered): Promise<void> => {
    await ended(left);
    options.onEvent({ name, what: 'stopped, left by another operator', pid: left.pid });
  };

  return {
    ensure(program) {
      const former = entries.get(program.name);
      if (former !== undefined && same(former.program, program)) return;
      const entry = wantedEntry(program);
      entries.set(program.name, entry);
      const left = found.get(program.name);
      found.delete(program.name);
      if (left?.digest === digestOf(program)) {
        entry.startedAt = options.now();
        follow(entry, adopted(left), 'taken over');
        return;
      }
      const going =
        left === undefined
          ? former === undefined
            ? leaving.get(program.name)
            : halt(former)
          : end(program.name, left);
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
    endUnclaimed() {
      for (const [name, left] of found) {
        found.delete(name);
        const gone = end(name, left);
        leaving.set(name, gone);
        void gone.then(() => (leaving.get(name) === gone ? leaving.delete(name) : false));
      }
      write();
    },
    release() {
      for (const entry of entries.values()) {
        entry.wanted = false;
        clearTimeout(entry.timer);
        entry.child?.release();
      }
    },
  };
}

function wantedEntry(program: Program): Entry {
  return {
    program,
    child: undefined,
    written: undefined,
    ended: Promise.resolve(),
    startedAt: 0,
    failures: 0,
    lastEnd: undefined,
    timer: undefined,
    wanted: true,
  };
}

function same(a: Program, b: Program): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
