/** Messages are planned one at a time in the order they were taken in charge, by whoever is on duty. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JournalEvent } from '../../journal/events.ts';
import { type Archive, createArchive } from '../archive/archive.ts';
import { type Database, openDatabase } from '../archive/database.ts';
import { ArchiveUnavailable } from '../archive/unavailable.ts';
import { type Desk, openDesk } from './desk.ts';

interface Room {
  readonly archive: Archive;
  readonly planned: string[];
  readonly events: JournalEvent[];
  readonly desk: Desk;
  /** What planning a message does instead of marking it as worked on. */
  readonly trouble: Map<string, Error>;
  duty: boolean;
}

const desks = suite<{ room: Room; database: Database; directory: string }>('desk');

desks.before.each(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'drimbox-desk-'));
  context.database = await openDatabase(join(context.directory, 'archive.sqlite'));
  const archive = createArchive(context.database);
  const events: JournalEvent[] = [];
  const planned: string[] = [];
  const trouble = new Map<string, Error>();
  const room: Room = {
    archive,
    planned,
    events,
    trouble,
    duty: true,
    desk: openDesk({
      archive,
      plan: async ({ id, controlId }) => {
        const error = trouble.get(controlId);
        if (error) throw error;
        await archive.markIncomplete(id);
        planned.push(controlId);
      },
      journal: { record: (event) => void events.push(event) },
      onDuty: () => room.duty,
      maxDocumentBytes: 1_000_000,
    }),
  };
  context.room = room;
});
desks.after.each(async ({ room, database, directory }) => {
  await room.desk.stop();
  await database.close();
  rmSync(directory, { recursive: true });
});

async function receive(archive: Archive, ...controlIds: readonly string[]): Promise<void> {
  for (const controlId of controlIds)
    await archive.receive({
      controlId,
      ris: 'ris',
      remote: '127.0.0.1',
      receivedAt: '2026-03-10T10:00:00.000Z',
      body: Buffer.from(controlId),
    });
}

async function planAll({ desk }: Room): Promise<void> {
  desk.wake();
  await desk.idle();
}

desks('more messages than a page of ids are planned once each, in their order', async ({ room }) => {
  const ids = Array.from({ length: 230 }, (_, n) => `M${n}`);
  await receive(room.archive, ...ids);
  await planAll(room);
  assert.equal(room.planned, ids);
  await planAll(room);
  assert.is(room.planned.length, ids.length);
});

desks('who is not on duty plans nothing; who takes it plans what waits', async ({ room }) => {
  room.duty = false;
  await receive(room.archive, 'A', 'B');
  await planAll(room);
  assert.equal(room.planned, []);
  room.duty = true;
  await planAll(room);
  assert.equal(room.planned, ['A', 'B']);
});

desks('a message that a defect of ours stops at is told once and holds up no other', async ({ room }) => {
  room.trouble.set('B', new TypeError('a defect'));
  await receive(room.archive, 'A', 'B', 'C');
  await planAll(room);
  room.trouble.clear();
  await receive(room.archive, 'D');
  await planAll(room);
  // B is left to the next life: what came after it may be a newer version of its report
  assert.equal(room.planned, ['A', 'C', 'D']);
  assert.is(room.events.filter(({ name }) => name === 'InternalError').length, 1);
});

desks('an archive that goes away stops the work before the next message; it goes on in order', async ({ room }) => {
  room.trouble.set('B', new ArchiveUnavailable('Unreachable', 'gone'));
  await receive(room.archive, 'A', 'B', 'C');
  await planAll(room);
  assert.equal(room.planned, ['A']);
  room.trouble.clear();
  await planAll(room);
  assert.equal(room.planned, ['A', 'B', 'C']);
  assert.equal(room.events, []);
});

desks.run();
