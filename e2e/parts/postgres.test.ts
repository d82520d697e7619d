import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPki } from './pki.ts';
import { startPostgres } from './postgres.ts';

test('a PostgreSQL of its own starts, answers and leaves nothing behind', async () => {
  const postgres = await startPostgres({ fsync: false });
  try {
    assert.is(await postgres.sql('show fsync'), 'off');
    assert.is(await postgres.sql('show listen_addresses'), '');
    await postgres.sql("create table t (a text); insert into t values ('é')");
    assert.is(await postgres.sql('select a, length(a) from t'), 'é|1');
    await assertRejects(postgres.sql('select nothing from nowhere'), /nowhere/);
  } finally {
    await postgres.stop();
  }
  assert.not(existsSync(postgres.socketDirectory));
});

test('killed and started again: nothing committed is lost; by network only with TLS and password', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'drimbox-pg-test-'));
  const pki = await createPki(directory);
  const server = await pki.issue({ commonName: 'localhost', organizationalUnit: '1750000001', kind: 'MARKET' });
  const postgres = await startPostgres({ fsync: false, tls: server });
  try {
    await postgres.addDatabase('site', 'gateway', 'secret');
    await postgres.sql('create table t (a int); insert into t values (1)', 'site');
    await postgres.kill();
    await assertRejects(postgres.sql('select 1'), /refused|No such file|exist/);
    await postgres.startAgain();
    assert.is(await postgres.sql('select a from t', 'site'), '1');
    assert.match(await postgres.sql('select type, auth_method from pg_hba_file_rules'), 'hostssl|scram-sha-256');
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

async function assertRejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.match(String(error), pattern);
}

test.run();
