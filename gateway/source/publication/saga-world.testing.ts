/** One gateway's publication wing on a given archive, with a PACS and a DMP in memory that behave as real ones do. */
import { exampleConfig } from '../../../common/contract/example-config.ts';
import { type ReportSpec, reportMessage } from '../../../e2e/parts/reports.ts';
import { parseUid, type StudyInstanceUid, type Uid } from '../../domain.ts';
import { type FoundStudy, type Pacs, PacsError } from '../../dicom/pacs.ts';
import type { DmpClient, DmpOutcome, Submission } from '../../dmp/submission.ts';
import type { JournalEvent } from '../../journal/events.ts';
import { createArchive } from '../archive/archive.ts';
import type { Database } from '../archive/database.ts';
import { createJobQueue, type JobQueue } from '../archive/jobs.ts';
import { type Desk, openDesk } from './desk.ts';
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
export function memoryPacs(name: string): Pacs & { studies: Map<string, FoundStudy>; silent: boolean; asked: number } {
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
export function memoryDmp(): DmpClient & {
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

export function found(study: string, instances = 2): FoundStudy {
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

export interface World {
  readonly pacs: ReturnType<typeof memoryPacs>;
  readonly other: ReturnType<typeof memoryPacs>;
  readonly dmp: ReturnType<typeof memoryDmp>;
  readonly events: JournalEvent[];
  readonly jobs: JobQueue;
  readonly desk: Desk;
  readonly step: ReturnType<typeof createStep>;
  send(spec: ReportSpec): Promise<string>;
  sendBytes(bytes: Buffer): Promise<string>;
  /** Runs every due job until none is. */
  settle(): Promise<void>;
  approved(study?: string): Submission[];
  states(): Promise<Readonly<Record<string, number>>>;
  archived(study: string): ReturnType<ReturnType<typeof createArchive>['published']>;
  clock: { at: Date };
}

/** @param shared what several gateways of a site have in common */
export function openWorld(
  database: Database,
  shared: Pick<World, 'pacs' | 'dmp'> = { pacs: memoryPacs('pacs1'), dmp: memoryDmp() },
): World {
  const archive = createArchive(database);
  const jobs = createJobQueue(database);
  const events: JournalEvent[] = [];
  const journal = { record: (event: JournalEvent) => void events.push(event) };
  const { pacs, dmp } = shared;
  const other = memoryPacs('pacs2');
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
  return {
    jobs,
    desk,
    step,
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
}
