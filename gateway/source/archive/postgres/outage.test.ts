/** The database goes away and comes back, or does not answer in time: nothing acknowledged is lost, and nobody is told a lie. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createArchive } from '../archive.ts';
import type { Database } from '../database.ts';
import { surely } from '../surely.ts';
import type { Traces } from '../../../journal/journal.ts';
import { openTraceSpool } from '../trace-spool.ts';
import { createTraceStore } from '../traces.ts';
import { type ArchiveHealth, ArchiveUnavailable, Overtaken } from '../unavailable.ts';
import { openTestDatabase, startTestServer } from './server.testing.ts';

// weaker than what is promised: a gateway asks for more by itself
const server = await startTestServer({ synchronous_commit: 'off' });
test.after(async () => await server.close());

const message = (controlId: string) => ({
  controlId,
  ris: 'ris',
  remote: '127.0.0.1',
  receivedAt: '2026-03-10T10:00:00.000Z',
  body: Buffer.from(controlId),
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries === 1_500) throw new Error('still waiting');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const keptIn = async (database: Database): Promise<string[]> =>
  (await database.query('SELECT control_id FROM inbox ORDER BY id')).map((row) => String(row['control_id']));

test('a commit is on disk when it is answered, though the server would not wait for it', async () => {
  const database = await openTestDatabase(await server.newDatabase());
  const [row] = await database.query(`SELECT current_setting('synchronous_commit') AS mode`);
  assert.is(row?.['mode'], 'on');
  await database.close();
});

test('the server is killed under work, three times: all that was acknowledged is there, and work goes on', async () => {
  const database = await openTestDatabase(await server.newDatabase());
  const archive = createArchive(database);
  const changes: ArchiveHealth[] = [];
  database.follow((health) => changes.push(health));
  const acknowledged = new Set<string>();
  const life = { working: true, refused: 0 };
  const senders = Array.from({ length: 4 }, async (_, sender) => {
    for (let n = 0; life.working; n++) {
      const id = `M${sender}-${n}`;
      // as a RIS: sends again until it is acknowledged
      while (!acknowledged.has(id)) {
        try {
          await archive.receive(message(id));
          acknowledged.add(id);
        } catch (error) {
          if (!(error instanceof ArchiveUnavailable)) throw error;
          life.refused += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    }
  });
  for (let kills = 0; kills < 3; kills++) {
    const before = acknowledged.size;
    await until(() => acknowledged.size > before + 20);
    await server.server.kill();
    await until(() => !database.health().up);
    await server.server.startAgain();
    await until(() => database.health().up);
  }
  life.working = false;
  await Promise.all(senders);
  const kept = await keptIn(database);
  assert.is(new Set(kept).size, kept.length, 'no message is kept twice');
  assert.equal(
    [...acknowledged].filter((id) => !kept.includes(id)),
    [],
  );
  assert.ok(life.refused > 0);
  assert.ok(changes.some(({ up }) => !up) && changes.at(-1)?.up === true);
  await database.close();
});

/** Every commit waits for this standby, which there is not; none: commits don't wait. */
async function standby(name: string): Promise<void> {
  await server.server.sql(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
  await server.server.sql('SELECT pg_reload_conf()');
  await until(async () => (await server.server.sql('show synchronous_standby_names')) === name);
}

test('no standby confirms a commit: its outcome is unknown, and the message sent again is the same one', async () => {
  const config = await server.newDatabase();
  const database = await openTestDatabase(config, { patience: { connect: 5_000, statement: 300, answer: 600 } });
  const archive = createArchive(database);
  await archive.receive(message('before'));
  await standby('nobody');
  const refusal = await archive.receive(message('M1')).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.instance(refusal, ArchiveUnavailable);
  assert.is(refusal instanceof ArchiveUnavailable && refusal.outcome, 'unknown');
  await standby('');
  await until(async () => {
    try {
      return (await archive.receive(message('M1'))).known;
    } catch (error) {
      if (error instanceof ArchiveUnavailable) return false;
      throw error;
    }
  });
  assert.equal(await keptIn(database), ['before', 'M1']);
  await database.close();
});

test('what must be told waits until its outcome is known, and is written once', async () => {
  const config = await server.newDatabase();
  const database = await openTestDatabase(config, { patience: { connect: 5_000, statement: 300, answer: 600 } });
  const stopping = new AbortController();
  const archive = createArchive(surely(database, stopping.signal));
  const { id } = await archive.receive(message('M1'));
  await standby('nobody');
  const life = { settled: false };
  const written = archive.markIncomplete(id).finally(() => (life.settled = true));
  await until(() => !database.health().up);
  assert.not(life.settled);
  await standby('');
  await written;
  assert.equal(await archive.unprocessed(0, 10), []);
  // known to be done by someone else: told as it is
  const second = await archive.markIncomplete(id).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.instance(second, Overtaken);
  await database.close();
});

const at = '2026-03-10T10:00:00.000Z';
const tracesOf = (event: string): Traces => ({
  event,
  audit: { eventId: '110107', action: 'C', outcome: 0, record: {} },
  statistics: [],
});
const told = async (database: Database): Promise<string[]> =>
  (await database.query('SELECT event FROM audit ORDER BY id')).map((row) => String(row['event']));

test('traces wait for the archive, in order; without a file they are given up when the gateway stops', async () => {
  const database = await openTestDatabase(await server.newDatabase());
  const traces = createTraceStore(database);
  const trace = (event: string) => traces.append(at, tracesOf(event));
  await server.server.kill();
  const kept = ['A', 'B', 'C'].map(trace);
  await until(() => !database.health().up);
  await server.server.startAgain();
  await Promise.all(kept);
  assert.equal(await told(database), ['A', 'B', 'C']);
  await server.server.kill();
  const lost = Promise.allSettled(['D', 'E'].map(trace));
  assert.is(await traces.close(0), 0);
  for (const { status } of await lost) assert.is(status, 'rejected');
  await database.close();
  await server.server.startAgain();
});

test('with a file the next gateway tells what this one could not, before its own and once', async () => {
  const config = await server.newDatabase();
  const file = join(mkdtempSync(join(tmpdir(), 'traces-')), 'traces.jsonl');
  const onFault = (_: string, error: unknown): never => {
    throw error;
  };
  const first = await openTestDatabase(config);
  const spool = await openTraceSpool(file);
  const traces = createTraceStore(first, { spool, onFault });
  await traces.append(at, tracesOf('before'));
  assert.not(existsSync(file) && readFileSync(file, 'utf8') !== '', 'nothing is written while nothing waits');
  await server.server.kill();
  const [wrote, wrote2] = [traces.append(at, tracesOf('A')), traces.append(at, tracesOf('B'))];
  const lines = (): number => readFileSync(file, 'utf8').split('\n').length - 1;
  await until(() => lines() === 2);
  const wrote3 = traces.append(at, tracesOf('C'));
  await until(() => lines() === 3);
  assert.is(await traces.close(0), 3);
  // in the file: their writers have nothing to say
  await Promise.all([wrote, wrote2, wrote3]);
  await first.close();
  await server.server.startAgain();

  const second = await openTestDatabase(config);
  const heir = createTraceStore(second, { spool: await openTraceSpool(file), onFault });
  await heir.append(at, tracesOf('D'));
  assert.equal(await told(second), ['before', 'A', 'B', 'C', 'D']);
  assert.is(await heir.close(1_000), 0);
  assert.not(existsSync(file));
  await second.close();
  rmSync(dirname(file), { recursive: true });
});

test('a server that is away at the start is waited for', async () => {
  const config = await server.newDatabase();
  await server.server.kill();
  const database = await openTestDatabase(config);
  const archive = createArchive(database);
  const health = database.health();
  assert.is(health.up ? '' : health.reason, 'ConnectionRefused');
  await server.server.startAgain();
  await until(() => database.health().up);
  assert.not((await archive.receive(message('M1'))).known);
  await database.close();
});

test.run();
