/** What the archive asks of its database holds on a SQLite file and on a real PostgreSQL alike. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createArchive } from './archive.ts';
import { type Database, openDatabase } from './database.ts';
import { createJobQueue } from './jobs.ts';
import { openTestDatabase, startTestServer } from './postgres/server.testing.ts';
import { createTraceStore } from './traces.ts';
import { Overtaken } from './unavailable.ts';

const server = await startTestServer();
const directory = mkdtempSync(join(tmpdir(), 'drimbox-databases-'));
const kinds: Readonly<Record<string, () => Promise<Database>>> = {
  SQLite: async () => await openDatabase(join(mkdtempSync(join(directory, 'file-')), 'archive.sqlite')),
  PostgreSQL: async () => await openTestDatabase(await server.newDatabase()),
};

const message = (controlId: string, body = 'body') => ({
  controlId,
  ris: 'ris',
  remote: '127.0.0.1',
  receivedAt: '2026-03-10T10:00:00.000Z',
  body: Buffer.from(body),
});
const newJob = `INSERT INTO jobs (kind, cause, study_uid, document_id, state, next_at, created_at, updated_at)
                VALUES ('publish', 'report', ?, 'd', 'queued', ?, ?, ?) RETURNING id`;
const at = '2026-03-10T10:00:00.000Z';

for (const [name, open] of Object.entries(kinds)) {
  const test = suite<{ database: Database }>(`archive on ${name}`);
  test.before.each(async (context) => {
    context.database = await open();
  });
  test.after.each(async ({ database }) => await database.close());

  test('columns come back as what they went in: numbers, text as text, bytes, null', async ({ database }) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const text = `é ? ' "   \\x00 2026-03-10T10:00:00.000Z`;
    await database.transaction([
      {
        sql: `INSERT INTO jobs (kind, cause, study_uid, document_id, state, next_at, kos, draft, created_at, updated_at)
              VALUES ('publish', 'report', ?, ?, 'queued', ?, ?, ?, ?, ?)`,
        params: ['1.2', text, at, bytes, null, at, at],
      },
      {
        sql: 'INSERT INTO statistics (at, statistic, structure_id, value) VALUES (?, ?, ?, ?)',
        params: [at, 'STF11', '1', 0.1],
      },
    ]);
    const [job] = await database.query('SELECT id, document_id, next_at, kos, draft, attempts FROM jobs');
    assert.is(job?.['id'], 1);
    assert.is(job?.['document_id'], text);
    assert.is(job?.['next_at'], at);
    assert.is(job?.['draft'], null);
    assert.is(job?.['attempts'], 0);
    const kos = job?.['kos'];
    assert.equal(kos instanceof Uint8Array && [...kos], [...bytes]);
    const [sums] = await database.query('SELECT count(*) AS n, min(at) AS first, max(value) AS most FROM statistics');
    assert.equal({ ...sums }, { n: 1, first: at, most: 0.1 });
  });

  test('text is compared by its bytes', async ({ database }) => {
    for (const study of ['1.10', '1.2', '1.1', '11', 'a', 'B'])
      await database.transaction([{ sql: newJob, params: [study, at, at, at] }]);
    const rows = await database.query('SELECT study_uid FROM jobs ORDER BY study_uid');
    assert.equal(
      rows.map((row) => row['study_uid']),
      ['1.1', '1.10', '1.2', '11', 'B', 'a'],
    );
  });

  test('a transaction is whole or not at all', async ({ database }) => {
    const error = await rejection(
      database.transaction([
        { sql: newJob, params: ['1.2', at, at, at] },
        { sql: `UPDATE jobs SET state = 'no such state'` },
      ]),
    );
    assert.match(error.message, /constraint/i);
    assert.equal(await database.query('SELECT id FROM jobs'), []);
    await database.transaction([{ sql: newJob, params: ['1.2', at, at, at] }]);
  });

  test('a message is kept once, however often and however quickly it is sent', async ({ database }) => {
    const archive = createArchive(database);
    const kept = await Promise.all(Array.from({ length: 8 }, () => archive.receive(message('M1'))));
    assert.is(new Set(kept.map(({ id }) => id)).size, 1);
    assert.is(kept.filter(({ known }) => !known).length, 1);
    const other = await archive.receive(message('M1', 'other bytes'));
    assert.not(other.known);
    assert.equal(await archive.unprocessed(0, 10), [kept[0]?.id, other.id]);
    assert.is((await archive.message(other.id))?.body.toString(), 'other bytes');
  });

  test('of two that work on one message, one writes', async ({ database }) => {
    const archive = createArchive(database);
    const { id } = await archive.receive(message('M1'));
    const ends = await Promise.allSettled([archive.markIncomplete(id), archive.markIncomplete(id)]);
    assert.equal(
      ends.map(({ status }) => status).toSorted((a, b) => (a < b ? -1 : 1)),
      ['fulfilled', 'rejected'],
    );
    for (const end of ends) if (end.status === 'rejected') assert.instance(end.reason, Overtaken);
  });

  test('a job changes only from where it stood', async ({ database }) => {
    const jobs = createJobQueue(database);
    await database.transaction([{ sql: newJob, params: ['1.2', at, at, at] }]);
    const [seen] = await jobs.due(at, 10);
    if (seen === undefined) throw new Error('the job is due');
    const ends = await Promise.allSettled([
      jobs.build(seen, '{}', Buffer.from('a'), at),
      jobs.end(seen, 'failed', { detail: 'b', at }),
      jobs.postpone(seen, { code: 'E003', detail: 'c', nextAt: at, at }),
    ]);
    assert.is(ends.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const end of ends) if (end.status === 'rejected') assert.instance(end.reason, Overtaken);
    const [later] = await jobs.due(at, 10);
    if (later) {
      await jobs.postpone(later, { code: 'E007', detail: 'd', nextAt: at, at });
      assert.instance(await rejection(jobs.end(later, 'published', { detail: '', at })), Overtaken);
    }
  });

  test('audit records are never changed', async ({ database }) => {
    const traces = createTraceStore(database);
    await traces.append(at, {
      event: 'KosPublished',
      audit: { eventId: '110107', action: 'C', outcome: 0, record: {} },
      statistics: [{ statistic: 'STF01', structureId: '1', value: 1 }],
    });
    assert.match((await rejection(database.query(`UPDATE audit SET event = 'other'`))).message, 'never changed');
    assert.is((await database.query('SELECT event FROM audit'))[0]?.['event'], 'KosPublished');
  });

  if (name === Object.keys(kinds).at(-1))
    test.after(async () => {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    });
  test.run();
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it was expected to be refused');
  return error;
}
