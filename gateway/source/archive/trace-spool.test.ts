import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Database } from './database.ts';
import { openTraceSpool, type Trace } from './trace-spool.ts';
import { createTraceStore } from './traces.ts';
import { ArchiveUnavailable } from './unavailable.ts';

const folder = mkdtempSync(join(tmpdir(), 'spool-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newFile = (): string => join(folder, 'data', `traces-${files++}.jsonl`);
const at = '2026-03-10T10:00:00.000Z';
const trace = (event: string): Trace => ({ at, event, statistics: [] });
const eventsOf = (traces: readonly Trace[]): string[] => traces.map(({ event }) => event);

const audit = { eventId: '110107', action: 'C', outcome: 0, record: {} } as const;

/** Away until it is up; notes the event of each audit record. */
function archiveThat(): { up: boolean; refuses: string; readonly written: unknown[]; readonly database: Database } {
  const archive = {
    up: false,
    refuses: '',
    written: [] as unknown[],
    database: {
      transaction: (statements: readonly { readonly params?: readonly unknown[] }[]) => {
        if (!archive.up) return Promise.reject(new ArchiveUnavailable('ConnectionRefused', 'away'));
        const events = statements.map(({ params }) => params?.[1]);
        if (events.includes(archive.refuses)) return Promise.reject(new Error('refused'));
        archive.written.push(...events);
        return Promise.resolve([]);
      },
    } as unknown as Database,
  };
  return archive;
}

/** As SIGKILL leaves it: nothing is closed. */
async function leftAt(file: string): Promise<{ events: string[]; unreadable: number }> {
  const spool = await openTraceSpool(file);
  await spool.close();
  return { events: eventsOf(spool.left), unreadable: spool.unreadable };
}

test('what was kept and not told is left, in order, for whoever opens it next', async () => {
  const file = newFile();
  const spool = await openTraceSpool(file);
  await Promise.all([spool.keep([trace('A'), trace('B')]), spool.keep([trace('C')]), spool.told()]);
  assert.equal(await leftAt(file), { events: ['B', 'C'], unreadable: 0 });
  assert.equal(await leftAt(file), { events: ['B', 'C'], unreadable: 0 }, 'until it is told');
  assert.is(statSync(file).mode & 0o777, 0o600, 'patients are named in it');
});

test('when all is told it is empty, and gone when it is closed', async () => {
  const file = newFile();
  const spool = await openTraceSpool(file);
  await spool.keep([trace('A'), trace('B')]);
  await spool.told();
  await spool.told();
  assert.is(readFileSync(file, 'utf8'), '');
  await spool.keep([trace('C')]);
  assert.equal(await leftAt(file), { events: ['C'], unreadable: 0 });
  await spool.told();
  await spool.close();
  assert.not(existsSync(file));
});

test('half a line, of a process that was killed while it wrote, is counted, and the next line is whole', async () => {
  const file = newFile();
  const spool = await openTraceSpool(file);
  await spool.keep([trace('A')]);
  appendFileSync(file, JSON.stringify(trace('B')).slice(0, 20));
  const next = await openTraceSpool(file);
  assert.is(next.unreadable, 1);
  await next.keep([trace('C')]);
  assert.equal(await leftAt(file), { events: ['A', 'C'], unreadable: 0 });
});

test('a file that cannot be had is an error at once', async () => {
  const inTheWay = join(folder, 'file');
  writeFileSync(inTheWay, '');
  chmodSync(inTheWay, 0o600);
  try {
    await openTraceSpool(join(inTheWay, 'traces.jsonl'));
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /ENOTDIR|EEXIST/);
  }
});

test('a file that can no longer be written is told once; the traces wait in memory, and are written when the archive is back', async () => {
  const told: string[] = [];
  const archive = archiveThat();
  const spool = await openTraceSpool(newFile());
  await spool.close();
  const store = createTraceStore(archive.database, { spool, onFault: (what) => told.push(what) });
  const kept = ['A', 'B', 'C'].map((event) => store.append(at, { event, audit, statistics: [] }));
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  kept.push(store.append(at, { event: 'D', audit, statistics: [] }));
  archive.up = true;
  await Promise.all(kept);
  assert.equal(archive.written, ['A', 'B', 'C', 'D']);
  assert.equal(told, ['traces wait in memory alone: their file can not be written']);
});

test('a trace of a former run that the archive refuses is told, and does not come back with each start', async () => {
  const told: string[] = [];
  const archive = archiveThat();
  [archive.up, archive.refuses] = [true, 'B'];
  const file = newFile();
  await (await openTraceSpool(file)).keep(['A', 'B', 'C'].map((event) => ({ ...trace(event), audit })));
  const spool = await openTraceSpool(file);
  const store = createTraceStore(archive.database, { spool, onFault: (what) => told.push(what) });
  assert.is(await store.close(1_000), 0);
  assert.equal(archive.written, ['A', 'C']);
  assert.equal(told, ['trace of a former run not kept']);
  assert.not(existsSync(file));
});

test.run();
