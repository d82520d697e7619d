/** A process that runs: started here, or found running and taken over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Program } from './program.ts';
import { type Registered, isRunning } from './register.ts';

export interface Running {
  /** Absent when it could not be started. */
  readonly pid: number | undefined;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Told once, with exit code, signal, or why it could not start. */
  onEnd(told: (end: string) => void): void;
  /** Lets go of it: it goes on, and this process may end. */
  release(): void;
}

/** Beyond it a program's log begins anew at its next start; the former one stays as `.1`. */
const maxLogBytes = 64 * 1024 * 1024;
/** Between two looks at a process that is not our child: its end is not told. */
const lookMs = 250;

/** @param left true: in a session of its own, and it survives us; false: the kernel ends it with us (parent-death signal) */
export function launch(program: Program, left: boolean): Running {
  mkdirSync(dirname(program.logFile), { recursive: true, mode: 0o700 });
  if ((statSync(program.logFile, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes)
    renameSync(program.logFile, `${program.logFile}.1`);
  const log = openSync(program.logFile, 'a', 0o600);
  const [command, args] = left
    ? [program.command, program.args]
    : ['setpriv', ['--pdeathsig', 'KILL', '--', program.command, ...program.args]];
  try {
    return started(
      spawn(command, args, {
        env: { ...process.env, ...program.env },
        stdio: ['ignore', log, log],
        detached: left,
      }),
    );
  } finally {
    closeSync(log); // the child has its own
  }
}

function started(child: ChildProcess): Running {
  return {
    pid: child.pid,
    kill: (signal) => void child.kill(signal),
    onEnd(told) {
      child.once('error', (error) => told(error.message));
      child.once('exit', (code, signal) => told(signal ?? String(code)));
    },
    release: () => child.unref(),
  };
}

export function adopted(found: Registered): Running {
  let timer: NodeJS.Timeout | undefined;
  return {
    pid: found.pid,
    kill(signal) {
      if (isRunning(found)) process.kill(found.pid, signal);
    },
    onEnd(told) {
      timer = setInterval(() => {
        if (isRunning(found)) return;
        clearInterval(timer);
        told('how is not known: another operator started it');
      }, lookMs);
    },
    release: () => clearInterval(timer),
  };
}

/** Stops what was found running; settles when it is gone. */
export async function ended(found: Registered): Promise<void> {
  const child = adopted(found);
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), found.stopTimeoutMs);
  await new Promise<void>((resolve) => child.onEnd(() => resolve()));
  clearTimeout(kill);
}
