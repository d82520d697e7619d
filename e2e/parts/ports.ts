/**
 * Loopback ports for programs that must be told their port beforehand. A port that is merely free now may belong to another test
 * a moment later, so each one given is claimed by a file that others respect as long as its claimant lives; and it lies below the
 * range from which the kernel takes the ports of outgoing connections, any of which could sit on it meanwhile.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const first = 10_000;
/** The operator on one host gives ports from here on; Linux takes those of outgoing connections from 32 768 on. */
const last = 20_999;

const folder = join(tmpdir(), `drimbox-ports-${process.getuid?.() ?? 0}`);
const mine = new Set<number>();
let sweeping = false;

/** A TCP port that nobody listens on, and that no other claimant will be given while this process lives. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const start = Math.floor(Math.random() * (last - first + 1));
  for (let step = 0; step <= last - first; step += 1) {
    const port = first + ((start + step) % (last - first + 1));
    if (!claim(port)) continue;
    if (await isFree(port, host)) return port;
    release(port);
  }
  throw new Error(`no free port between ${first} and ${last} on ${host}; claims are in ${folder}`);
}

function claim(port: number): boolean {
  const file = join(folder, String(port));
  if (mine.has(port)) return false;
  if (!create(file)) {
    if (isHeld(file)) return false;
    // Its claimant is gone: of several that see so at once only one makes the file again.
    rmSync(file, { force: true });
    if (!create(file)) return false;
  }
  mine.add(port);
  if (!sweeping) process.once('exit', () => mine.forEach(release));
  sweeping = true;
  return true;
}

function create(file: string): boolean {
  try {
    const handle = openSync(file, 'wx', 0o600);
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** A claim that is just being written has no number yet, and counts. */
function isHeld(file: string): boolean {
  try {
    const text = readFileSync(file, 'utf8');
    if (text === '') return true;
    process.kill(Number(text), 0);
    return true;
  } catch (error) {
    // ENOENT: released meanwhile; ESRCH: its claimant ended without a word.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function release(port: number): void {
  rmSync(join(folder, String(port)), { force: true });
  mine.delete(port);
}

async function isFree(port: number, host: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
