/** A PostgreSQL of its own, from Debian's binaries: own cluster, Unix socket only, thrown away at the end. */
import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Part, startProcess } from './process.ts';

const run = promisify(execFile);
const installed = '/usr/lib/postgresql';
const user = 'drimbox';

export interface PostgresOptions {
  /** False loses what was committed when the machine stops, and is faster; default true. A killed server loses nothing either way. */
  readonly fsync?: boolean;
  /** More of postgresql.conf, e.g. `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Postgres {
  readonly part: Part;
  readonly version: string;
  /** Folder of the Unix socket: `host` of a connection. */
  readonly socketDirectory: string;
  readonly user: string;
  readonly database: string;
  /** `postgresql:///…?host=…` */
  readonly url: string;
  /** One statement or several, by psql. @returns unaligned rows, columns parted by `|` @throws Error with what the server says */
  sql(statement: string): Promise<string>;
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
    const settings = {
      listen_addresses: '',
      unix_socket_directories: socketDirectory,
      unix_socket_permissions: '0777',
      fsync: options.fsync === false ? 'off' : 'on',
      synchronous_commit: options.fsync === false ? 'off' : 'on',
      ...options.settings,
    };
    const sets = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command = '', ...args] = [...as, join(bin, 'postgres'), '-D', data, ...sets];
    const sql = async (statement: string): Promise<string> => {
      const where = ['-h', socketDirectory, '-U', user, '-d', 'postgres'];
      const { stdout } = await run(join(bin, 'psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', ...where, '-c', statement]);
      return stdout.trimEnd();
    };
    const part = await startProcess({
      name: `PostgreSQL ${version}`,
      command,
      args,
      logFile: join(directory, 'server.log'),
      ready: async () => (await sql('select 1')) === '1',
      stopTimeoutMs: 10_000,
    });
    return {
      part,
      version,
      socketDirectory,
      user,
      database: 'postgres',
      url: `postgresql:///postgres?host=${encodeURIComponent(socketDirectory)}&user=${user}`,
      sql,
      async stop() {
        part.kill('SIGINT'); // fast shutdown: sessions are ended, the cluster is closed properly
        await part.ended;
        rmSync(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
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
