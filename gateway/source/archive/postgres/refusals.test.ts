/** What a gateway says when the database does not let it in: the reason, the place, and what to do. On a real server. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PostgresConfig } from '../../../../common/contract/gateway-config.ts';
import { startPostgres } from '../../../../e2e/parts/postgres.ts';
import { freePort } from '../../../../e2e/parts/ports.ts';
import type { ArchiveReason } from '../reasons.ts';
import { ArchiveUnavailable } from '../unavailable.ts';
import { openTestDatabase, site, startTestServer } from './server.testing.ts';

const server = await startTestServer();
test.after(async () => await server.close());

/** Opens, asks, and returns what was said. */
async function said(config: PostgresConfig): Promise<ArchiveUnavailable> {
  const database = await openTestDatabase(config);
  try {
    const error = await database.query('SELECT 1').then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof ArchiveUnavailable)) throw new Error(`expected a refusal, not ${String(error)}`);
    const health = database.health();
    assert.is(health.up ? '' : health.reason, error.reason);
    assert.is(error.outcome, 'nothing written');
    return error;
  } finally {
    await database.close();
  }
}

const good = await server.newDatabase();

const cases: readonly {
  readonly what: string;
  readonly change: () => Promise<Partial<PostgresConfig>> | Partial<PostgresConfig>;
  readonly reason: ArchiveReason;
  readonly words: RegExp;
}[] = [
  {
    what: 'a wrong password',
    change: () => ({ passwordFile: server.writePassword('wrong', 'not it') }),
    reason: 'PasswordRefused',
    words: /localhost:\d+, database archive1, user archive1: .*; put the password of this user into the Secret/,
  },
  {
    what: 'a database that is not there',
    change: () => ({ database: 'nowhere' }),
    reason: 'DatabaseMissing',
    words: /nowhere.*create the database/,
  },
  {
    what: 'a certificate of an unknown authority',
    change: () => ({ trustFile: server.pki.foreign.certificateFile }),
    reason: 'CertificateNotTrusted',
    words: /give the authority of the server certificate/,
  },
  {
    what: 'a host that the certificate does not name',
    change: () => ({ host: '127.0.0.1' }),
    reason: 'ServerNameMismatch',
    words: /127\.0\.0\.1.*by a name that the certificate carries/,
  },
  {
    what: 'a host that nobody knows',
    change: () => ({ host: 'database.invalid' }),
    reason: 'HostNotFound',
    words: /database\.invalid:.*check the host name/,
  },
  {
    what: 'a port where nothing listens',
    change: async () => ({ port: await freePort() }),
    reason: 'ConnectionRefused',
    words: /ECONNREFUSED.*nothing listens there/,
  },
  {
    what: 'an empty password file',
    change: () => ({ passwordFile: server.writePassword('empty', '') }),
    reason: 'FileUnreadable',
    words: /passwordFile can't be used: .*empty/,
  },
  {
    what: 'a trust file without a certificate',
    change: () => ({ trustFile: server.writePassword('no-trust', 'words') }),
    reason: 'FileUnreadable',
    words: /trustFile can't be used: .*holds no certificate/,
  },
  {
    what: 'a password file that is not there',
    change: () => ({ passwordFile: join(server.directory, 'missing') }),
    reason: 'FileUnreadable',
    words: /storage\.postgres\.passwordFile can't be used: ENOENT/,
  },
];

for (const { what, change, reason, words } of cases) {
  test(`${what}: ${reason}`, async () => {
    const error = await said({ ...good, ...(await change()) });
    assert.is(error.reason, reason);
    assert.match(error.message, words);
  });
}

test('a server without TLS gets nothing, no password either', async () => {
  const plain = await startPostgres({ fsync: false, tls: 'none' });
  try {
    const error = await said({ ...good, port: plain.port });
    assert.is(error.reason, 'TlsNotOffered');
  } finally {
    await plain.stop();
  }
});

test('a user who owns nothing: PermissionDenied', async () => {
  const config = await server.newDatabase();
  await server.server.sql(`ALTER DATABASE ${config.database} OWNER TO drimbox`);
  const error = await said(config);
  assert.is(error.reason, 'PermissionDenied');
  assert.match(error.message, 'make this user the owner');
});

test('tables of a newer version are left alone', async () => {
  const config = await server.newDatabase();
  await (await openTestDatabase(config)).close();
  await server.server.sql('UPDATE schema_version SET version = version + 1', config.database);
  const error = await said(config);
  assert.is(error.reason, 'SchemaNewer');
  assert.match(error.message, 'update this gateway');
});

test('the archive of another site is left alone', async () => {
  const config = await server.newDatabase();
  await (await openTestDatabase(config, { site: 'ght/sud' })).close();
  const error = await said(config);
  assert.is(error.reason, 'OtherSite');
  assert.match(error.message, 'ght/sud');
  assert.match(error.message, site);
});

test('two gateways that start at once on an empty database make its tables once', async () => {
  const config = await server.newDatabase();
  const both = await Promise.all(Array.from({ length: 4 }, () => openTestDatabase(config)));
  for (const database of both) assert.ok(database.health().up, JSON.stringify(database.health()));
  assert.is(await server.server.sql('SELECT count(*), min(version) FROM schema_version', config.database), '1|1');
  await Promise.all(both.map((database) => database.close()));
});

test('another password is used from then on; one that the server refuses is not', async () => {
  const config = await server.newDatabase();
  const database = await openTestDatabase(config);
  const wrong = { ...config, passwordFile: server.writePassword('guess', 'a guess') };
  const refusal = await database.exchange(wrong).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.instance(refusal, ArchiveUnavailable);
  await database.query('SELECT 1');

  await server.server.sql(`ALTER ROLE ${config.user} PASSWORD 'the next'`);
  await database.exchange({ ...config, passwordFile: server.writePassword('next', 'the next') });
  // whoever was connected has to come again, with the new password
  await server.server.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${config.user}'`);
  await untilAnswers(() => database.query('SELECT 1'));
  await database.close();
});

async function untilAnswers(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof ArchiveUnavailable) || tries === 20) throw error;
    }
  }
}

test.run();
