/** The saga on a real archive (SQLite in its worker): what each cause leads to, and that nothing is published twice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exampleConfig } from '../../../common/contract/example-config.ts';
import { aReport, aStudy, examChangeMessage, reportMessage, type ReportSpec } from '../../../e2e/parts/reports.ts';
import { parseUid, type StudyInstanceUid, type Uid } from '../../domain.ts';
import { type FoundStudy, type Pacs, PacsError } from '../../dicom/pacs.ts';
import type { DmpClient, DmpOutcome, Submission } from '../../dmp/submission.ts';
import type { JournalEvent } from '../../journal/events.ts';
import { createArchive } from '../archive/archive.ts';
import { openDatabase } from '../archive/database.ts';
import { createJobQueue } from '../archive/jobs.ts';
import { openDesk } from './desk.ts';
import { createIntake } from './intake.ts';
import { createManifestMaker } from './manifest-maker.ts';
import { createMessagePlanner } from './message-planner.ts';
import { createStep } from './saga.ts';

const uid = (text: string): Uid => {
  const parsed = parseUid(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};

/** A PACS in memory: holds studies by UID, may be silent. */
function memoryPacs(name: string): Pacs & { studies: Map<string, FoundStudy>; silent: boolean; asked: number } {
  const unused = (): never => {
    throw new Error('not asked by publication');
  };
  return {
    name,
    studies: new Map(),
    silent: false,
    asked: 0,
    echo: () => Promise.resolve(1),
    findStudy(study) {
      this.asked += 1;
      if (this.silent) return Promise.reject(new PacsError('unreachable', 'connection refused'));
      return Promise.resolve(this.studies.get(study));
    },
    leaseAeTitle: unused,
    moveSeries: unused,
    close: () => Promise.resolve(),
  };
}

/** A DMP in memory that knows unique ids, as the real one does. */
function memoryDmp(): DmpClient & {
  entries: Map<string, { entryUuid: string; submission: Submission; status: 'Approved' | 'Deprecated' | 'Deleted' }>;
  next: DmpOutcome | undefined;
  loseAnswer: boolean;
} {
  return {
    entries: new Map(),
    next: undefined,
    loseAnswer: false,
    publish(submission) {
      if (this.next) {
        const outcome = this.next;
        this.next = undefined;
        return Promise.resolve(outcome);
      }
      const known = this.entries.get(submission.entry.uniqueId);
      if (known) return Promise.resolve({ kind: 'published', entryUuid: known.entryUuid, alreadyRegistered: true });
      const entryUuid = `urn:uuid:${this.entries.size + 1}`;
      for (const entry of this.entries.values())
        if (entry.entryUuid === submission.replaces) entry.status = 'Deprecated';
      this.entries.set(submission.entry.uniqueId, { entryUuid, submission, status: 'Approved' });
      if (this.loseAnswer) {
        this.loseAnswer = false;
        return Promise.resolve({ kind: 'unavailable', detail: 'connection reset' });
      }
      return Promise.resolve({ kind: 'published', entryUuid, alreadyRegistered: false });
    },
    findEntryUuid(uniqueId) {
      const entry = this.entries.get(uniqueId);
      return Promise.resolve(
        entry && entry.status !== 'Deleted' ? { kind: 'found', entryUuid: entry.entryUuid } : { kind: 'absent' },
      );
    },
    remove(removal) {
      for (const entry of this.entries.values()) if (entry.entryUuid === removal.entryUuid) entry.status = 'Deleted';
      return Promise.resolve({ kind: 'removed' });
    },
    close: () => Promise.resolve(),
  };
}

function found(study: string, instances = 2): FoundStudy {
  const series = uid(`${study}.1`);
  return {
    studyInstanceUid: uid(study),
    studyDate: '20260310',
    studyTime: '090000',
    studyDescription: 'Crâne',
    studyId: '',
    patientId: '',
    issuerOfPatientId: '',
    otherPatientIds: [],
    patientBirthDate: '',
    series: [{ seriesInstanceUid: series, modality: 'CT', description: 'axial', seriesNumber: 1 }],
    instances: Array.from({ length: instances }, (_, index) => ({
      seriesInstanceUid: series,
      sopInstanceUid: uid(`${study}.1.${index + 1}`),
      sopClassUid: uid('1.2.840.10008.5.1.4.1.1.2'),
      instanceNumber: index + 1,
      numberOfFrames: undefined,
    })),
    query: 'relational',
  };
}

interface World {
  readonly pacs: ReturnType<typeof memoryPacs>;
  readonly other: ReturnType<typeof memoryPacs>;
  readonly dmp: ReturnType<typeof memoryDmp>;
  readonly events: JournalEvent[];
  send(spec: ReportSpec): Promise<string>;
  sendBytes(bytes: Buffer): Promise<string>;
  /** Runs every due job until none is. */
  settle(): Promise<void>;
  approved(study?: string): Submission[];
  states(): Promise<Readonly<Record<string, number>>>;
  archived(study: string): ReturnType<ReturnType<typeof createArchive>['published']>;
  clock: { at: Date };
}

const worlds = suite<{ world: World; close: () => Promise<void> }>('publication saga');

worlds.before.each(async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'drimbox-saga-'));
  const database = await openDatabase(join(directory, 'archive.sqlite'));
  const archive = createArchive(database);
  const jobs = createJobQueue(database);
  const events: JournalEvent[] = [];
  const journal = { record: (event: JournalEvent) => void events.push(event) };
  const [pacs, other, dmp] = [memoryPacs('pacs1'), memoryPacs('pacs2'), memoryDmp()];
  const [base] = exampleConfig.pacs;
  if (!base) throw new Error('example');
  const clock = { at: new Date('2026-03-10T10:00:00Z') };
  const now = (): Date => clock.at;
  const ris = { name: 'ris', sendingApplication: 'RIS_TEST', pacs: ['pacs1', 'pacs2'] };
  const step = createStep({
    archive,
    database,
    jobs,
    journal,
    dmp,
    manifest: createManifestMaker(exampleConfig.site, 'drimbox', now),
    pacs: (name) => ({ client: name === 'pacs1' ? pacs : other, config: { ...base, name } }),
    ris: (name) => (name === 'ris' ? ris : undefined),
    sourceId: uid('2.25.1'),
    retry: () => ({ initialMs: 1000, maximumMs: 60_000 }),
    random: () => 0.5,
    now,
  });
  const plan = createMessagePlanner({ archive, database, journal, wake: () => undefined });
  const desk = openDesk({ archive, plan, journal, onDuty: () => true, maxDocumentBytes: 1_000_000 });
  let control = 0;
  const intake = createIntake({
    archive,
    journal,
    kept: () => desk.wake(),
    ris: () => [ris],
    maxDocumentBytes: 1_000_000,
    now,
    newControlId: () => `ACK${++control}`,
  });
  const sendBytes = async (bytes: Buffer): Promise<string> => {
    const ack = await intake.accept(bytes, '127.0.0.1');
    desk.wake();
    await desk.idle();
    return /MSA\|(\w+)/.exec(ack.toString())?.[1] ?? '';
  };
  context.world = {
    pacs,
    other,
    dmp,
    events,
    clock,
    send: (spec) => sendBytes(reportMessage(spec)),
    sendBytes,
    async settle() {
      for (
        let due = await jobs.due(now().toISOString(), 10);
        due.length > 0;
        due = await jobs.due(now().toISOString(), 10)
      ) {
        for (const job of due) await step(job, AbortSignal.timeout(10_000));
      }
    },
    approved: (study) =>
      [...dmp.entries.values()]
        .filter(
          ({ status, submission }) =>
            status === 'Approved' && (study === undefined || submission.entry.studyInstanceUid === study),
        )
        .map(({ submission }) => submission),
    states: () => jobs.counts(),
    archived: (study) => archive.published(study as StudyInstanceUid),
  };
  context.close = async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  };
});
worlds.after.each(async ({ close }) => await close());

const study = aStudy.studyInstanceUid;
const codes = (events: readonly JournalEvent[]): string[] =>
  events.flatMap((event) => ('code' in event ? [event.code] : []));

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

worlds.run();
