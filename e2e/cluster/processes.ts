/** Processes of pods: the node of the tests runs them on this machine. */
import { readFileSync, readdirSync } from 'node:fs';
import type { PodSeen } from './objects.ts';

/**
 * As the kernel does when memory runs out: the pod stays, and its container is started anew.
 * @param mention in the command line of the one that is meant
 * @throws Error when there is none, or more than one
 */
export function killProcess({ name, uid }: Pick<PodSeen, 'name' | 'uid'>, mention: string): void {
  const found = readdirSync('/proc').filter(
    (entry) =>
      /^\d+$/.test(entry) && textOf(entry, 'cgroup').includes(uid) && textOf(entry, 'cmdline').includes(mention),
  );
  const [pid] = found;
  if (pid === undefined || found.length > 1) throw new Error(`${found.length} processes of ${name} mention ${mention}`);
  process.kill(Number(pid), 'SIGKILL');
}

/** '' for one that has just ended. */
function textOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
