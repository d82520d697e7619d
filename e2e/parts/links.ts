/**
 * Links of a known speed: network namespaces in a row, each joined to the next by a veth whose both ends are shaped. Needs root.
 * Namespaces carry the process id in their name and go with everything in them when `close` is called or the process ends.
 */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface NamespaceRow {
  /** Name of each namespace, in the order asked. */
  readonly names: readonly string[];
  /** Address of namespace `index` on its link to namespace `neighbour`. @throws Error when they are not neighbours */
  address(index: number, neighbour: number): string;
  close(): void;
}

/** Why shaped links can't be had here; undefined when they can. */
export function whyNoLinks(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `drimbox-${process.pid}-probe`;
  try {
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', probe], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    // the answer itself: this machine allows none, or lacks iproute2
    return `network namespaces can't be made: ${error instanceof Error ? error.message.trim() : String(error)}`;
  }
}

/**
 * @param roles what the namespaces are for, e.g. `['pacs', 'gateway', 'client']`: two links
 * @param rate of each link and direction, as tc writes it, e.g. `1gbit`
 */
export async function openRow(roles: readonly string[], rate: string): Promise<NamespaceRow> {
  const names = roles.map((role) => `drimbox-${process.pid}-${role}`);
  const close = (): void => {
    process.off('exit', close);
    for (const name of made.splice(0)) execFileSync('ip', ['netns', 'del', name]);
  };
  const made: string[] = [];
  process.on('exit', close);
  try {
    for (const name of names) {
      await run('ip', ['netns', 'add', name]);
      made.push(name);
      await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    }
    for (const index of names.keys()) if (index > 0) await join(names, index, rate);
  } catch (error) {
    close();
    throw error;
  }
  return {
    names,
    close,
    address(index, neighbour) {
      if (Math.abs(index - neighbour) !== 1 || !names[index] || !names[neighbour])
        throw new Error(`namespaces ${index} and ${neighbour} are not neighbours`);
      return addressOf(Math.max(index, neighbour), index > neighbour);
    },
  };
}

/** Link `index` joins namespaces index-1 (left) and index (right); TEST-NET-2 addresses (RFC 5737). */
function addressOf(index: number, right: boolean): string {
  return `198.51.100.${index * 4 + (right ? 2 : 1)}`;
}

async function join(names: readonly string[], index: number, rate: string): Promise<void> {
  const ends = [
    { name: names[index - 1] ?? '', device: `right${index}`, address: addressOf(index, false) },
    { name: names[index] ?? '', device: `left${index}`, address: addressOf(index, true) },
  ] as const;
  const [left, right] = ends;
  await run('ip', [
    'link',
    'add',
    left.device,
    'netns',
    left.name,
    'type',
    'veth',
    'peer',
    'name',
    right.device,
    'netns',
    right.name,
  ]);
  for (const { name, device, address } of ends) {
    await run('ip', ['-n', name, 'address', 'add', `${address}/30`, 'dev', device]);
    await run('ip', ['-n', name, 'link', 'set', device, 'up']);
    const shape = ['qdisc', 'add', 'dev', device, 'root', 'tbf', 'rate', rate, 'burst', '256kb', 'latency', '50ms'];
    await run('tc', ['-n', name, ...shape]);
  }
}
