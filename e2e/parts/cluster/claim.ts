/**
 * The place of one cluster on this machine: a network namespace joined to the host by a veth with a /30 of the addresses kept for
 * documentation (RFC 5737). Names carry who made it, so that what a dead run left is known from what a live one uses.
 */
import { execFile } from 'node:child_process';
import { getServers } from 'node:dns';
import { readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Claim {
  /** `drimbox-node-PID-START-N`: the network namespace, the cgroup and the folder. */
  readonly name: string;
  /** The host's end of the veth. */
  readonly device: string;
  readonly hostAddress: string;
  readonly nodeAddress: string;
  release(): Promise<void>;
}

const prefix = 'drimbox-node-';
/** The ranges kept for documentation, in subnets of four. */
const ranges = ['203.0.113', '198.51.100', '192.0.2'] as const;
const subnets = ranges.length * 64;
const state = { made: 0 };

/** @throws Error when every subnet is taken, or `ip` refuses */
export async function claimPlace(): Promise<Claim> {
  const name = `${prefix}${process.pid}-${startOf(process.pid) ?? ''}-${state.made++}`;
  await run('ip', ['netns', 'add', name]);
  try {
    const index = await joinHost(name);
    const { device, hostAddress, nodeAddress } = placeOf(index);
    await run('ip', ['address', 'add', `${hostAddress}/30`, 'dev', device]);
    await run('ip', ['link', 'set', device, 'up']);
    await run('ip', ['-n', name, 'address', 'add', `${nodeAddress}/30`, 'dev', 'eth0']);
    for (const inside of ['lo', 'eth0']) await run('ip', ['-n', name, 'link', 'set', inside, 'up']);
    await run('ip', ['-n', name, 'route', 'add', 'default', 'via', hostAddress]);
    const release = async (): Promise<void> => {
      // by itself the veth goes with the namespace, but some moments later
      await run('ip', ['link', 'del', device]);
      await run('ip', ['netns', 'del', name]);
    };
    return { name, device, hostAddress, nodeAddress, release };
  } catch (error) {
    await run('ip', ['netns', 'del', name]);
    throw error;
  }
}

/**
 * The kernel refuses a device name twice: whoever makes it has the subnet. A subnet that touches a network the machine is on is never
 * taken, for then the machine would lose its neighbours, its gateway perhaps among them.
 */
async function joinHost(name: string): Promise<number> {
  const networks = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = networks.flatMap(({ cidr, family }) => (cidr !== null && family === 'IPv4' ? [cidr] : []));
  const resolvers = getServers().flatMap((server) => (/^[\d.]+$/.test(server) ? [`${server}/32`] : []));
  for (const index of freeSubnets([...own, ...resolvers, ...(await routes())])) {
    const { device } = placeOf(index);
    try {
      await run('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
      return index;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('File exists')) throw error;
    }
  }
  throw new Error(
    `no subnet of ${ranges.map((range) => `${range}.0/24`).join(', ')} is free for a cluster: see \`ip route\``,
  );
}

/** Networks the machine has a route to, other than the default one. */
async function routes(): Promise<string[]> {
  const { stdout } = await run('ip', ['-4', 'route', 'show', 'table', 'all']);
  const words = stdout.split('\n').flatMap((line) => /\b(\d+\.\d+\.\d+\.\d+(?:\/\d+)?)/.exec(line)?.[1] ?? []);
  return words.map((word) => (word.includes('/') ? word : `${word}/32`));
}

/** Pure: the subnets that share no address with `networks` (`192.0.2.2/24`). */
export function freeSubnets(networks: readonly string[]): number[] {
  const used = new BlockList();
  for (const network of networks) {
    const [address, length] = network.split('/');
    used.addSubnet(address ?? '', Number(length), 'ipv4');
  }
  return Array.from({ length: subnets }, (_, index) => index).filter((index) => {
    const { subnet } = placeOf(index);
    return subnet.every((address) => !used.check(address, 'ipv4'));
  });
}

/** Pure: device and addresses of subnet `index`. */
export function placeOf(
  index: number,
): Pick<Claim, 'device' | 'hostAddress' | 'nodeAddress'> & { readonly subnet: readonly string[] } {
  const net = ranges[Math.floor(index / 64)] ?? ranges[0];
  const subnet = [0, 1, 2, 3].map((host) => `${net}.${(index % 64) * 4 + host}`);
  const [, hostAddress = '', nodeAddress = ''] = subnet;
  return { device: `dbxnode${index}`, hostAddress, nodeAddress, subnet };
}

/** Whether the process that made `name` is gone; false for names that are not of this kind. */
export function isLeftover(name: string, start: (pid: number) => string | undefined = startOf): boolean {
  const match = /^drimbox-node-(\d+)-(\d+)-\d+$/.exec(name);
  return match !== null && start(Number(match[1])) !== match[2];
}

/** When a process started, in clock ticks since boot (proc(5), field 22): tells a pid from the same pid used again. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined; // no such process: the answer
  }
}
