/**
 * A PostgreSQL of its own, from Debian's binaries: own cluster, thrown away at the end. On a Unix socket where everybody is trusted,
 * and, when given a certificate, on loopback too: by TLS and password alone, as a site's database must be.
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

const run = promisify(execFile);
const installed = '/usr/lib/postgresql';
const user = 'drimbox';

export interface PostgresOptions {
  /** Where it listens when it has a certificate; default 127.0.0.1. */
  readonly address?: string;
  /** CIDR of who may come there; default that address alone. */
  readonly from?: string;
  /** False loses what was committed when the machine stops, and is faster; default true. A killed server loses nothing either way. */
  readonly fsync?: boolean;
  /** More of postgresql.conf, e.g. `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** PEM: listens on its address too; `none`: there without TLS, as it should not be. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string } | 'none';
}

export interface Postgres {
  /** The server of the moment. */
  readonly part: Part;
  /** On its address, the same over restarts; 0 without `tls`. */
  readonly port: number;
  /** A database owned by a user of its own, who comes by TLS with this password. */
  addDatabase(name: string, owner: string, password: string): Promise<void>;
  /** SIGKILL to the server; its children end by themselves. */
  kill(): Promise<void>;
  /** After `kill` or an end of its own. */
  startAgain(): Promise<void>;
  readonly version: string;
  /** Folder of the Unix socket: `host` of a connection. */
  readonly socketDirectory: string;
  readonly user: string;
  readonly database: string;
  /** `postgresql:///…?host=…` */
  readonly url: string;
  /** One statement or several, by psql. @returns unaligned rows, columns parted by `|` @throws Error with what the server says */
  sql(statement: string, database?: string): Promise<string>;
  /** Stops the server and removes its files. */
  stop(): Promise<void>;
}

/** @throws Error when PostgreSQL is not installed, or does not start */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const { version, bin } = findPostgres();
  // short: a Unix socket's path has room for 107 bytes
  const directory = mkdtempSync(join(tmpdir(), 'drimbox-pg-'));
  const [data, socketDirectory] = [join(directory, 'data'), join(directory, 'socket')];
  try {
    mkdirSync(socketDirectory);
    const as = await unprivileged([directory, socketDirectory]);
    const initdb = [
      join(bin, 'initdb'),
      '-D',
      data,
      '-U',
      user,
      '--auth=trust',
      '-E',
      'UTF8',
      '--no-locale',
      '--no-sync',
    ];
    const [first = '', ...rest] = [...as, ...initdb];
    await run(first, rest);
    const port = options.tls === undefined ? 0 : await freePort();
    const { address = '127.0.0.1', from = `${address}/32` } = options;
    if (options.tls !== undefined && options.tls !== 'none') placeTls(data, options.tls, from);
    const settings = {
      listen_addresses: port === 0 ? '' : address,
      ...(port !== 0 && { port: String(port) }),
      ...(port !== 0 && options.tls !== 'none' && tlsSettings),
      unix_socket_directories: socketDirectory,
      unix_socket_permissions: '0777',
      fsync: options.fsync === false ? 'off' : 'on',
      ...options.settings,
    };
    const sets = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command = '', ...args] = [...as, join(bin, 'postgres'), '-D', data, ...sets];
    const sql = async (statement: string, database = 'postgres'): Promise<string> => {
      const where = ['-h', socketDirectory, ...(port === 0 ? [] : ['-p', String(port)]), '-U', user, '-d', database];
      const { stdout } = await run(join(bin, 'psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', ...where, '-c', statement]);
      return stdout.trimEnd();
    };
    const start = async (): Promise<Part> =>
      await startProcess({
        name: `PostgreSQL ${version}`,
        command,
        args,
        logFile: join(directory, 'server.log'),
        ready: async () => (await sql('select 1')) === '1',
        stopTimeoutMs: 10_000,
      });
    const state = { part: await start() };
    return {
      get part() {
        return state.part;
      },
      version,
      port,
      socketDirectory,
      user,
      database: 'postgres',
      url: `postgresql:///postgres?host=${encodeURIComponent(socketDirectory)}&user=${user}`,
      sql,
      async addDatabase(name, owner, password) {
        await sql(`CREATE ROLE ${owner} LOGIN PASSWORD '${password}'`);
        await sql(`CREATE DATABASE ${name} OWNER ${owner}`);
      },
      async kill() {
        state.part.kill('SIGKILL');
        await state.part.ended;
        // a new server refuses to start on memory that children of the former one still hold
        await untilNobodyUses(data);
      },
      async startAgain() {
        state.part = await start();
      },
      async stop() {
        state.part.kill('SIGINT'); // fast shutdown: sessions are ended, the cluster is closed properly
        await state.part.ended;
        rmSync(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

const tlsSettings = { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' };

/** The server wants its key for itself alone; TLS and password for whoever comes over the network, nothing else. */
function placeTls(
  data: string,
  { certificateFile, keyFile }: Exclude<PostgresOptions['tls'], 'none' | undefined>,
  from: string,
): void {
  const { uid, gid } = statSync(data);
  for (const [from, name] of [
    [certificateFile, 'server.crt'],
    [keyFile, 'server.key'],
  ] as const) {
    copyFileSync(from, join(data, name));
    chmodSync(join(data, name), 0o600);
    chownSync(join(data, name), uid, gid);
  }
  writeFileSync(join(data, 'pg_hba.conf'), `local all all trust\nhostssl all all ${from} scram-sha-256\n`);
}

async function untilNobodyUses(data: string): Promise<void> {
  for (;;) {
    const users = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && worksIn(pid, data));
    if (users.length === 0) return;
    await sleep(20);
  }
}

function worksIn(pid: string, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false; // it ended just now
  }
}

/** The newest installed. */
function findPostgres(): { readonly version: string; readonly bin: string } {
  const versions = existsSync(installed) ? readdirSync(installed) : [];
  const [version] = versions
    .filter((one) => existsSync(join(installed, one, 'bin/postgres')))
    .toSorted((a, b) => Number(b) - Number(a));
  if (version === undefined) throw new Error(`no PostgreSQL under ${installed}: install the Debian package postgresql`);
  return { version, bin: join(installed, version, 'bin') };
}

/** PostgreSQL refuses to run as root: as root, everything runs as `nobody`, who then owns the folders. */
async function unprivileged(folders: readonly string[]): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) return [];
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'nobody'])).stdout);
  const [uid, gid] = [await id('-u'), await id('-g')];
  for (const folder of folders) chownSync(folder, uid, gid);
  return ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--pdeathsig', 'KILL', '--'];
}
