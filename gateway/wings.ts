/** The gateway put together: archive, journal, DIMSE, source wing, health; started from one configuration and stopped in order. */
import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { GatewayConfig } from '../common/contract/gateway-config.ts';
import type { Log } from '../common/observability/log.ts';
import { startPacsWatch, type PacsWatch } from './admin/pacs-watch.ts';
import { openQuickAck } from './dicom/association/quick-ack.ts';
import { openStoreReceiver, type StoreReceiver } from './dicom/store/store-receiver.ts';
import { createWhitelistWatch, type WhitelistWatch } from './identity/whitelist-watch.ts';
import { createJournal, type JournalWriter } from './journal/journal.ts';
import { createMetrics, type GatewayMetrics } from './journal/metrics.ts';
import { createParts, type Parts } from './parts.ts';
import type { GatewayPlace } from './place.ts';
import { createArchive } from './source/archive/archive.ts';
import { type Database } from './source/archive/database.ts';
import type { Duty } from './source/archive/duty.ts';
import { createJobQueue, type JobQueue } from './source/archive/jobs.ts';
import { createManifestLookup } from './source/archive/manifests.ts';
import { type ArchiveDatabase, openArchiveDatabase } from './source/archive/open.ts';
import { surely } from './source/archive/surely.ts';
import { openTraceSpool } from './source/archive/trace-spool.ts';
import { createTraceStore, type Spooling } from './source/archive/traces.ts';
import { type ArchiveHealth, ArchiveUnavailable } from './source/archive/unavailable.ts';
import { openDesk } from './source/publication/desk.ts';
import { createIntake } from './source/publication/intake.ts';
import { configuredUid, createManifestMaker } from './source/publication/manifest-maker.ts';
import { createMessagePlanner } from './source/publication/message-planner.ts';
import { type Runner, startRunner } from './source/publication/runner.ts';
import { createStep } from './source/publication/saga.ts';
import { type MllpListener, startMllpListener } from './source/report/mllp.ts';
import { type RetrieveServer, startRetrieveServer } from './source/retrieve/retrieve-server.ts';

export interface Wings {
  readonly parts: Parts;
  readonly journal: JournalWriter;
  readonly metrics: GatewayMetrics;
  readonly whitelist: WhitelistWatch;
  readonly pacsWatch: PacsWatch;
  readonly jobs: JobQueue;
  readonly runner: Runner;
  readonly receiver: StoreReceiver;
  readonly mllp: MllpListener;
  readonly retrieve: RetrieveServer;
  readonly duty: Duty;
  archiveHealth(): ArchiveHealth;
  /** Other files of password and trust for the archive's server. @throws ArchiveUnavailable; the former stay */
  exchangeArchive(config: GatewayConfig): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

const now = (): Date => new Date();
/** Jobs at work at once: each holds at most one association and one DMP call. */
const concurrentJobs = 4;
/** The PACS echo of the health weather; its freshness limit is 5 minutes. */
const echoIntervalMs = 30_000;
const maxDocumentBytes = 67_108_864;
const product = 'drimbox';

/** Longest wait for traces whose archive is away, when stopping. */
const tracesGraceMs = 5_000;

/**
 * @param place which of the site's gateways this is
 * @throws Error when a port, a file or the archive's file can't be had. A database server that is away is waited for at work.
 */
export async function openWings(config: GatewayConfig, place: GatewayPlace, log: Log): Promise<Wings> {
  const opened = await openArchiveDatabase(config, place, now);
  const { database, duty } = opened;
  const metrics = createMetrics({ ris: config.ris.map(({ name }) => name), pacs: config.pacs.map(({ name }) => name) });
  const context = {
    structureId: config.site.structureId,
    systemId: config.site.systemId,
    host: config.pacs[0]?.wadoFqdn ?? hostname(),
  };
  const traces = createTraceStore(database, await spoolingOf(opened, log));
  const journal = createJournal({ log, metrics, store: traces, context, now });
  tellOfArchive(database, journal, metrics);
  const { host, port } = config.listeners.dimse;
  const receiver = await openStoreReceiver({
    host,
    port,
    journal,
    quickAck: openQuickAck(),
    clock: () => performance.now(),
  });
  const parts = createParts(config, { receiver, journal, now, podIndex: place.podIndex });
  const whitelist = createWhitelistWatch({
    journal,
    ownFqdns: () => parts.pacs().map(({ config: pacs }) => pacs.wadoFqdn),
    now,
  });
  await whitelist.reload(config.whitelist);
  const unfollow = whitelist.follow(() => parts.config().whitelist);

  const source = await openSource(config, { database, duty, parts, journal });
  const pacsWatch = startPacsWatch({
    pacs: () => parts.pacs().map(({ client }) => client),
    intervalMs: echoIntervalMs,
    now,
    onReturn: () => void hurry({ ...source, duty }, journal),
  });
  await pacsWatch.echoAll();
  const retrieve = await startRetrieveServer({
    listen: config.listeners.wado,
    pacsByFqdn: parts.pacsByFqdn,
    manifests: createManifestLookup(source.archive),
    introspection: parts.introspection,
    whitelist,
    journal,
    newRequestId: randomUUID,
  });
  return {
    parts,
    journal,
    metrics,
    whitelist,
    pacsWatch,
    receiver,
    retrieve,
    duty,
    archiveHealth: () => database.health(),
    exchangeArchive: (next) => opened.exchange(next),
    ...source,
    async stop(graceMs) {
      // ears first, then work under way, then what it stands on
      pacsWatch.stop();
      unfollow();
      await source.mllp.close();
      await retrieve.close(graceMs);
      source.stopping.abort();
      await source.desk.stop();
      await source.runner.stop(graceMs);
      await duty.stop();
      await parts.close();
      await receiver.close();
      tellOfTracesLeft(await traces.close(tracesGraceMs), opened, log);
      await journal.flush();
      await database.close();
    },
  };
}

/** Everything that waits is tried now: a PACS answers again, or a person asked. */
export async function hurry(
  { jobs, runner, duty }: Pick<Wings, 'jobs' | 'runner' | 'duty'>,
  journal: JournalWriter,
): Promise<void> {
  try {
    await jobs.hurry(now().toISOString());
    runner.wake();
    if (!duty.held()) await duty.announce();
  } catch (error) {
    // they go on by themselves when it is back
    if (error instanceof ArchiveUnavailable) return;
    journal.record({ name: 'InternalError', where: 'publication, trying again', detail: String(error) });
  }
}

/** undefined for an archive that is never away. What becomes of traces can't be told as an event: that would be a trace, too. */
async function spoolingOf({ spoolFile: file }: ArchiveDatabase, log: Log): Promise<Spooling | undefined> {
  if (file === undefined) return undefined;
  const onFault = (what: string, error: unknown): void => log.write('error', what, { file, detail: String(error) });
  try {
    const spool = await openTraceSpool(file);
    if (spool.left.length > 0 || spool.unreadable > 0)
      log.write('info', 'traces of a former run are written now', {
        file,
        traces: spool.left.length,
        unreadable: spool.unreadable,
      });
    return { spool, onFault };
  } catch (error) {
    onFault('traces wait in memory alone: their file can not be had', error);
    return undefined;
  }
}

function tellOfTracesLeft(traces: number, { spoolFile: file }: ArchiveDatabase, log: Log): void {
  if (traces > 0) log.write('warn', 'traces wait in a file for the next start: the archive is away', { file, traces });
}

function tellOfArchive(database: Database, journal: JournalWriter, metrics: GatewayMetrics): void {
  const tell = (health: ArchiveHealth): void =>
    journal.record(
      health.up
        ? { name: 'ArchiveBack', detail: health.detail }
        : { name: 'ArchiveAway', reason: health.reason, detail: health.detail },
    );
  metrics.archiveUp.set(database.health().up ? 1 : 0);
  if (!database.health().up) tell(database.health());
  database.follow(tell);
}

async function openSource(
  config: GatewayConfig,
  deps: {
    readonly database: Database;
    readonly duty: Duty;
    readonly parts: Parts;
    readonly journal: JournalWriter;
  },
) {
  const { database, duty, parts, journal } = deps;
  const onDuty = (): boolean => duty.held();
  const stopping = new AbortController();
  // the listener must answer at once; what is done must be told
  const archive = createArchive(database);
  const sure = surely(database, stopping.signal);
  const jobs = createJobQueue(database);
  const step = createStep({
    archive,
    database: sure,
    jobs: createJobQueue(sure),
    journal,
    dmp: parts.dmp,
    manifest: createManifestMaker(config.site, product, now),
    pacs: parts.pacsNamed,
    ris: (name) => parts.config().ris.find((ris) => ris.name === name),
    sourceId: configuredUid(config.site.sourceId),
    retry: () => parts.config().dmp.retry,
    random: Math.random,
    now,
  });
  const runner = startRunner({ jobs, step, journal, concurrency: concurrentJobs, onDuty, now });
  const plan = createMessagePlanner({
    archive: createArchive(sure),
    database: sure,
    journal,
    wake: () => runner.wake(),
  });
  const desk = openDesk({ archive, plan, journal, onDuty, maxDocumentBytes });
  const newControlId = (): string => randomBytes(10).toString('hex');
  const intake = createIntake({
    archive,
    kept: () => desk.wake(),
    journal,
    ris: () => parts.config().ris,
    maxDocumentBytes,
    now,
    newControlId,
  });
  const work = (): void => {
    desk.wake();
    runner.wake();
  };
  duty.begin({
    work,
    taken() {
      journal.record({ name: 'DutyTaken' });
      work();
    },
    lost: (detail) => journal.record({ name: 'DutyLost', detail }),
    refused: (detail) => journal.record({ name: 'DutyRefused', detail }),
  });
  database.follow((health) => {
    if (health.up) work();
  });
  const mllp = await startMllpListener(config.listeners.mllp, (bytes, remote) => intake.accept(bytes, remote), {
    now,
    newControlId,
    onHandlerFailure: (error, remote) =>
      journal.record({ name: 'InternalError', where: `message from ${remote}`, detail: String(error) }),
    onOversize: (remote) =>
      journal.record({
        name: 'MessageRefused',
        controlId: '',
        remote,
        acknowledgement: 'AR',
        field: 'MLLP frame',
        rule: `at most ${config.listeners.mllp.maxMessageBytes} bytes`,
      }),
  });
  return { archive, jobs, runner, desk, mllp, stopping };
}
