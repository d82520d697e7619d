import { existsSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
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

async function assertRejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.match(String(error), pattern);
}

test.run();
