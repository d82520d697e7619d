/** The saga on a real archive, SQLite and PostgreSQL: what each cause leads to, and that nothing is published twice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { aReport, aStudy, examChangeMessage } from '../../../e2e/parts/reports.ts';
import type { JournalEvent } from '../../journal/events.ts';
import { type Database, openDatabase } from '../archive/database.ts';
import { openTestDatabase, startTestServer } from '../archive/postgres/server.testing.ts';
import { found, openWorld, type World } from './saga-world.testing.ts';

type Worlds = ReturnType<typeof suite<{ world: World; close: () => Promise<void> }>>;

const study = aStudy.studyInstanceUid;
const codes = (events: readonly JournalEvent[]): string[] =>
  events.flatMap((event) => ('code' in event ? [event.code] : []));

function tell(worlds: Worlds): void {
  worlds('a report leads to one KOS, published and archived', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    assert.is(await world.send(aReport()), 'AA');
    await world.settle();
    assert.is(world.approved(study).length, 1);
    const archived = await world.archived(study);
    assert.is(archived?.status, 'published');
    assert.is(archived?.kosSopInstanceUid, world.approved(study)[0]?.entry.uniqueId);
    assert.equal(await world.states(), { published: 1 });
  });

  worlds('the same message sent again is acknowledged and changes nothing', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    assert.is(await world.send(aReport()), 'AA');
    assert.is(await world.send(aReport()), 'AA');
    await world.settle();
    assert.is(world.dmp.entries.size, 1);
    assert.equal(await world.states(), { published: 1 });
  });

  worlds('a report sent again under a new message id changes nothing in the DMP', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    await world.send(aReport());
    await world.settle();
    await world.send(aReport({ controlId: 'M2' }));
    await world.settle();
    assert.is(world.dmp.entries.size, 1);
    assert.equal(await world.states(), { published: 1, unchanged: 1 });
  });

  worlds('a study on the second PACS of the RIS is found there', async ({ world }) => {
    world.other.studies.set(study, found(study));
    await world.send(aReport());
    await world.settle();
    assert.is((await world.archived(study))?.pacs, 'pacs2');
  });

  worlds('no PACS knows the study: E004, nothing published', async ({ world }) => {
    await world.send(aReport());
    await world.settle();
    assert.ok(codes(world.events).includes('E004'));
    assert.is(world.dmp.entries.size, 0);
  });

  worlds('the PACS is silent: the job waits with E003 and resumes by itself', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    world.pacs.silent = true;
    await world.send(aReport());
    await world.settle();
    assert.ok(codes(world.events).includes('E003'));
    assert.equal(await world.states(), { queued: 1 });
    world.pacs.silent = false;
    world.clock.at = new Date(world.clock.at.getTime() + 60_000);
    await world.settle();
    assert.is(world.approved(study).length, 1);
  });

  worlds('the answer of the DMP is lost: the second try finds the first, one KOS', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    world.dmp.loseAnswer = true;
    await world.send(aReport());
    await world.settle();
    assert.equal(await world.states(), { built: 1 });
    world.clock.at = new Date(world.clock.at.getTime() + 60_000);
    await world.settle();
    assert.is(world.dmp.entries.size, 1);
    const published = world.events.find((event) => event.name === 'KosPublished');
    assert.is(published?.name === 'KosPublished' && published.alreadyRegistered, true);
  });

  worlds('the DMP refuses for good: E007 with its own words, nothing archived', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    world.dmp.next = { kind: 'refused', code: 'E007', dmpCode: 'XDSRegistryMetadataError', detail: 'typeCode' };
    await world.send(aReport());
    await world.settle();
    const failure = world.events.find((event) => event.name === 'PublicationFailed');
    assert.is(failure?.name === 'PublicationFailed' && failure.dmpCode, 'XDSRegistryMetadataError');
    assert.is(await world.archived(study), undefined);
  });

  worlds('new images at the PACS: OMI^O23 replaces the KOS', async ({ world }) => {
    world.pacs.studies.set(study, found(study, 2));
    await world.send(aReport());
    await world.settle();
    const first = (await world.archived(study))?.kosSopInstanceUid;
    world.pacs.studies.set(study, found(study, 3));
    assert.is(await world.sendBytes(examChangeMessage(study, 'O1')), 'AA');
    await world.settle();
    const second = await world.archived(study);
    assert.is.not(second?.kosSopInstanceUid, first);
    assert.is(world.approved(study).length, 1);
    assert.is(world.dmp.entries.size, 2);
  });

  worlds('the exam left the PACS: OMI^O23 takes the KOS out of the DMP, its id stays', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    await world.send(aReport());
    await world.settle();
    world.pacs.studies.clear();
    await world.sendBytes(examChangeMessage(study, 'O1'));
    await world.settle();
    assert.is(world.approved(study).length, 0);
    assert.is((await world.archived(study))?.status, 'unpublished');
  });

  worlds('a PACS that is silent never takes a KOS away', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    await world.send(aReport());
    await world.settle();
    world.pacs.silent = true;
    await world.sendBytes(examChangeMessage(study, 'O1'));
    await world.settle();
    assert.is((await world.archived(study))?.status, 'published');
  });

  worlds('DESTDMP=N: acknowledged, declined, no PACS asked', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    assert.is(await world.send(aReport({ variant: 'notForDmp' })), 'AA');
    await world.settle();
    assert.equal(await world.states(), { declined: 1 });
    assert.is(world.pacs.asked, 0);
  });

  worlds('a visibility change replaces the KOS', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    const report = aReport();
    await world.send(report);
    await world.settle();
    await world.send({
      ...report,
      controlId: 'M2',
      flags: { ...report.flags, invisibleToPatient: true, visibilityChange: true },
    });
    await world.settle();
    assert.is(world.approved(study).length, 1);
    assert.is(world.approved(study)[0]?.entry.visibility.invisibleToPatient, true);
  });

  worlds('a second reading adds its accession number, and its deletion takes only that away', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    await world.send(aReport());
    await world.settle();
    const order = { accession: { value: 'AN2', authority: '2.25.7' }, placer: { value: 'OP2', authority: '2.25.8' } };
    const second = aReport({ controlId: 'M2', cda: { id: '2.25.5002', orders: [order] } });
    await world.send(second);
    await world.settle();
    assert.ok(world.approved(study)[0]?.entry.accessionNumbers.some(({ value }) => value === 'AN2'));
    assert.ok((world.approved(study)[0]?.entry.accessionNumbers.length ?? 0) > 1);
    await world.send({ ...second, controlId: 'M3', action: 'deletion' });
    await world.settle();
    assert.is(world.approved(study).length, 1);
    assert.not.ok(world.approved(study)[0]?.entry.accessionNumbers.some(({ value }) => value === 'AN2'));
  });

  worlds('the only report is deleted: the KOS is removed', async ({ world }) => {
    world.pacs.studies.set(study, found(study));
    await world.send(aReport());
    await world.settle();
    await world.send(aReport({ controlId: 'M2', action: 'deletion' }));
    await world.settle();
    assert.is(world.approved(study).length, 0);
    assert.is((await world.archived(study))?.status, 'unpublished');
  });

  worlds('an unknown RIS is refused and nothing is kept', async ({ world }) => {
    assert.is(await world.send(aReport({ sendingApplication: 'OTHER' })), 'AR');
    const refusal = world.events.find((event) => event.name === 'MessageRefused');
    assert.is(refusal?.name === 'MessageRefused' && refusal.field, 'MSH-3');
    assert.equal(await world.states(), {});
  });

  worlds('a patient of the PACS that is not the patient of the report: E001', async ({ world }) => {
    world.pacs.studies.set(study, { ...found(study), patientBirthDate: '19010101' });
    await world.send(aReport());
    await world.settle();
    assert.ok(codes(world.events).includes('E001'));
    assert.is(world.dmp.entries.size, 0);
  });
}

const server = await startTestServer();
const directory = mkdtempSync(join(tmpdir(), 'drimbox-saga-'));
const kinds: Readonly<Record<string, () => Promise<Database>>> = {
  SQLite: async () => await openDatabase(join(mkdtempSync(join(directory, 'file-')), 'archive.sqlite')),
  PostgreSQL: async () => await openTestDatabase(await server.newDatabase()),
};

for (const [name, open] of Object.entries(kinds)) {
  const worlds: Worlds = suite(`publication saga on ${name}`);
  worlds.before.each(async (context) => {
    const database = await open();
    context.world = openWorld(database);
    context.close = async () => await database.close();
  });
  worlds.after.each(async ({ close }) => await close());
  tell(worlds);
  if (name === Object.keys(kinds).at(-1))
    worlds.after(async () => {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    });
  worlds.run();
}
