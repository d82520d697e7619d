/** What a cluster leaves when its run was killed, and its removal: network namespace (with its veth), cgroups and folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLeftover } from './claim.ts';

const cgroups = '/sys/fs/cgroup';

/** Removes what dead runs left; what a live one uses is not touched. */
export function removeLeftovers(): void {
  for (const name of namespaces().filter((each) => isLeftover(each))) {
    try {
      execFileSync('ip', ['netns', 'del', name], { stdio: 'pipe' });
    } catch (error) {
      // another run may have removed it in the same moment
      if (namespaces().includes(name)) throw error;
    }
  }
  for (const hierarchy of hierarchies())
    for (const name of directories(hierarchy).filter((each) => isLeftover(each))) removeCgroup(join(hierarchy, name));
  for (const name of readdirSync(tmpdir()).filter((each) => isLeftover(each)))
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

/** Names under /run/netns; none when the folder was never made. */
export function namespaces(): string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns') : [];
}

/** Each mounted cgroup hierarchy: one per controller (v1), or one for all (v2). */
export function hierarchies(): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, place, kind]) => (kind === 'cgroup' || kind === 'cgroup2') && place?.startsWith(cgroups))
    .map(([, place]) => place ?? '');
}

/**
 * A parent for the cgroups of one cluster in every hierarchy.
 * v1 cpuset: a new group has no processor and no memory node, and refuses processes, until told. v2: controllers are handed down.
 */
export function makeCgroups(name: string): void {
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, name);
    mkdirSync(folder);
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const own = join(folder, file);
      if (existsSync(join(hierarchy, file)) && existsSync(own)) writeFileSync(own, readFileSync(join(hierarchy, file)));
    }
    const controllers = join(folder, 'cgroup.controllers');
    const given = existsSync(controllers) ? readFileSync(controllers, 'utf8').trim() : '';
    if (given !== '')
      writeFileSync(
        join(folder, 'cgroup.subtree_control'),
        given
          .split(' ')
          .map((each) => `+${each}`)
          .join(' '),
      );
  }
}

/** Settles when they are gone: the kernel may still be ending the pods' processes. */
export async function removeCgroups(name: string): Promise<void> {
  for (const hierarchy of hierarchies()) await untilRemoved(join(hierarchy, name));
}

async function untilRemoved(folder: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1)
    try {
      removeCgroup(folder);
      return;
    } catch (error) {
      // busy: a process of it has not quite gone
      if (attempt >= 300) throw error;
      await sleep(50);
    }
}

/** Depth first: a cgroup goes only when it has no child. */
function removeCgroup(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of directories(folder)) removeCgroup(join(folder, name));
  try {
    rmdirSync(folder);
  } catch (error) {
    if (existsSync(folder)) throw error; // another run may have removed it
  }
}

function directories(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}
