/** Which programs this operator started, written down so that the next one finds them: a number alone may have gone to another. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomically } from './files.ts';

export interface Registered {
  readonly pid: number;
  /** Clock ticks from boot to its start: with `boot` and `pid`, no other process ever (proc(5), /proc/PID/stat field 22). */
  readonly startTime: string;
  readonly boot: string;
  /** Of what was started: command, arguments, environment, log. */
  readonly digest: string;
  /** Time between SIGTERM and SIGKILL. */
  readonly stopTimeoutMs: number;
}

export interface Register {
  /** What is written and still runs, by name. */
  read(): ReadonlyMap<string, Registered>;
  write(running: ReadonlyMap<string, Registered>): void;
}

export function openRegister(file: string): Register {
  return {
    read() {
      if (!existsSync(file)) return new Map();
      const written = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Registered>>;
      return new Map(Object.entries(written).filter(([, one]) => isRunning(one)));
    },
    write: (running) => writeFileAtomically(file, JSON.stringify(Object.fromEntries(running), undefined, 2)),
  };
}

/** @returns undefined when it is gone already */
export function registered(pid: number, program: object, stopTimeoutMs: number): Registered | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined
    ? undefined
    : { pid, startTime, boot: bootId(), digest: digestOf(program), stopTimeoutMs };
}

export function isRunning({ pid, startTime, boot }: Registered): boolean {
  return boot === bootId() && startTimeOf(pid) === startTime;
}

export function digestOf(program: object): string {
  return createHash('sha256').update(JSON.stringify(program)).digest('hex');
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** One that ended and that nobody has asked about (state Z, X) does not run. */
function startTimeOf(pid: number): string | undefined {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // no such process
  }
  // The second field is the name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
