/** A real PostgreSQL for tests beside the code: by TLS, with a database per test, each owned by a user with a password. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresConfig } from '../../../../common/contract/gateway-config.ts';
import { createPki, type Pki } from '../../../../e2e/parts/pki.ts';
import { type Postgres, type PostgresOptions, startPostgres } from '../../../../e2e/parts/postgres.ts';
import { openPostgres, type SharedDatabase } from './open.ts';
import type { Patience } from './settings.ts';

export interface TestServer {
  readonly server: Postgres;
  readonly pki: Pki;
  readonly directory: string;
  /** What a gateway is told of a new, empty database. */
  newDatabase(): Promise<PostgresConfig>;
  writePassword(name: string, password: string): string;
  close(): Promise<void>;
}

export const site = 'ght/nord';

export async function startTestServer(settings: PostgresOptions['settings'] = {}): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'drimbox-archive-'));
  const pki = await createPki(join(directory, 'pki'));
  const tls = await pki.issue({ commonName: 'localhost', organizationalUnit: '1750000001', kind: 'MARKET' });
  // a killed server loses nothing without fsync either: what is tested here is not the disk
  const server = await startPostgres({ fsync: false, tls, settings });
  const state = { databases: 0 };
  const writePassword = (name: string, password: string): string => {
    const file = join(directory, name);
    writeFileSync(file, `${password}\n`);
    return file;
  };
  return {
    server,
    pki,
    directory,
    writePassword,
    async newDatabase() {
      const name = `archive${++state.databases}`;
      await server.addDatabase(name, name, 'of the test');
      const passwordFile = writePassword(name, 'of the test');
      return {
        host: 'localhost',
        port: server.port,
        database: name,
        user: name,
        passwordFile,
        trustFile: pki.bundleFile,
      };
    },
    async close() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function openTestDatabase(
  config: PostgresConfig,
  over: { readonly site?: string; readonly patience?: Patience } = {},
): Promise<SharedDatabase> {
  return await openPostgres(config, { site, name: 'test', now: () => new Date(), random: Math.random, ...over });
}
