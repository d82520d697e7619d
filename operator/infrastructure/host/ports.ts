/** Loopback ports of the gateways: given once per site, written down, and the same after every restart. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { writeFileAtomically } from './files.ts';

export interface SitePorts {
  readonly wado: number;
  readonly viewer: number;
  readonly admin: number;
}

const first = 21_000;
const last = 31_999; // below Linux's ephemeral range, where an outgoing connection could sit on one

export interface PortRegister {
  of(site: string): SitePorts;
}

/**
 * Gives ports to sites that have none and takes them from sites that are gone.
 * @param reserved ports that sites listen on themselves
 * @throws Error when the range is used up
 */
export async function assignPorts(
  file: string,
  sites: readonly string[],
  reserved: readonly number[],
  address: string,
): Promise<PortRegister> {
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, SitePorts>) : {};
  const ports: Record<string, SitePorts> = {};
  for (const site of sites) if (before[site] !== undefined) ports[site] = before[site];
  const taken = new Set([...reserved, ...Object.values(ports).flatMap((own) => [own.wado, own.viewer, own.admin])]);
  const start = startOf(file);
  const next = async (): Promise<number> => {
    for (let step = 0; step <= last - first; step += 1) {
      const port = first + ((start + step) % (last - first + 1));
      if (!taken.has(port) && (await isFree(port, address))) {
        taken.add(port);
        return port;
      }
    }
    throw new Error(`no free port between ${first} and ${last} on ${address}`);
  };
  for (const site of sites) ports[site] ??= { wado: await next(), viewer: await next(), admin: await next() };
  const text = JSON.stringify(ports, undefined, 2);
  if (text !== JSON.stringify(before, undefined, 2)) writeFileAtomically(file, text);
  return {
    of(site) {
      const own = ports[site];
      if (own === undefined) throw new Error(`no ports were assigned to ${site}`);
      return own;
    },
  };
}

/** Operators with state folders of their own start looking in different places: two that look at the same instant don't meet. */
function startOf(file: string): number {
  return createHash('sha256').update(file).digest().readUInt32BE(0) % (last - first + 1);
}

async function isFree(port: number, address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
