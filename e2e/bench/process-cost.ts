/** What a process cost: CPU time and peak memory, from /proc, as its owner and nobody else counts them. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface ProcessCost {
  /** User and system time; the kernel counts in hundredths. */
  readonly cpuSeconds: number;
  /** Peak resident bytes while it was watched. */
  readonly peakBytes: number;
}

export interface Watch {
  /** Cost since the watch began. */
  read(): Readonly<Record<string, ProcessCost>>;
}

/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux architecture Node runs on. */
const ticksPerSecond = 100;

/** Begins to watch; peaks start again from now. @param processes name to process id */
export function watch(processes: Readonly<Record<string, number>>): Watch {
  const started = Object.entries(processes).map(([name, pid]) => {
    writeFileSync(`/proc/${pid}/clear_refs`, '5'); // proc(5): resets VmHWM
    return { name, pid, cpu: cpuSeconds(pid) };
  });
  return {
    read: () =>
      Object.fromEntries(
        started.map(({ name, pid, cpu }) => [
          name,
          { cpuSeconds: Math.round((cpuSeconds(pid) - cpu) * 100) / 100, peakBytes: peakBytes(pid) },
        ]),
      ),
  };
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // the command may hold spaces and parentheses: fields are counted from behind its last one
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function peakBytes(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no VmHWM`);
  return Number(kilobytes) * 1024;
}
