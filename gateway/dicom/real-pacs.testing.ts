/** For tests: a store receiver, PACS links to real PACS, and a study of three series that those PACS hold. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { PacsConfig } from '../../common/contract/gateway-config.ts';
import { type Orthanc, startOrthanc } from '../../e2e/parts/orthanc.ts';
import { type Misbehaviour, type PynetdicomPacs, startPynetdicom } from '../../e2e/parts/pynetdicom.ts';
import { type GeneratedStudy, generateStudy, inventPatient } from '../../e2e/parts/studies.ts';
import { parseUid, type Uid } from '../domain.ts';
import type { JournalEvent } from '../journal/events.ts';
import { type QuickAck, openQuickAck } from './association/quick-ack.ts';
import { createPacs, type FollowingPacs } from './create-pacs.ts';
import { type AeLease, type FoundStudy, PacsError } from './pacs.ts';
import { type StoreReceiver, openStoreReceiver } from './store/store-receiver.ts';

const root = await mkdtemp(join(tmpdir(), 'drimbox-dicom-'));
const clock = (): number => performance.now();
export const jpegLs = uid('1.2.840.10008.1.2.4.80');
export const explicit = uid('1.2.840.10008.1.2.1');
export const pool = ['DRIM1', 'DRIM2', 'DRIM3'];

export const ct = await generateStudy(
  { kind: 'CT', images: 50, patient: inventPatient(1), studyUid: '2.25.5001' },
  join(root, 'ct'),
);
export const mr = await generateStudy(
  { kind: 'MR', images: 20, patient: inventPatient(1), studyUid: '2.25.5001', seriesNumber: 2 },
  join(root, 'mr'),
);
export const sr = await generateStudy(
  { kind: 'SR', images: 1, patient: inventPatient(1), studyUid: '2.25.5001', seriesNumber: 3 },
  join(root, 'sr'),
);
export const all = [...ct.instances, ...mr.instances, ...sr.instances];
export const study = uid(ct.studyUid);

export function uid(text: string): Uid {
  const parsed = parseUid(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

/** Undone after each test, failed ones too: a part left running would keep the suite waiting. */
const opened: (() => Promise<void>)[] = [];

export interface Bench {
  readonly receiver: StoreReceiver;
  readonly events: JournalEvent[];
  readonly destinations: Record<string, { aeTitle: string; host: string; port: number }>;
  pacs(peer: { aeTitle: string; host: string; port: number }, config?: Partial<PacsConfig>): FollowingPacs;
}

export async function openBench(quickAck: QuickAck = openQuickAck()): Promise<Bench> {
  const events: JournalEvent[] = [];
  const journal = { record: (event: JournalEvent) => void events.push(event) };
  const receiver = await openStoreReceiver({ host: '127.0.0.1', port: 0, journal, quickAck, clock });
  opened.push(() => receiver.close());
  const { host, port } = receiver;
  const destinations = Object.fromEntries(pool.map((aeTitle) => [aeTitle, { aeTitle, host, port }]));
  return {
    receiver,
    events,
    destinations,
    pacs(peer, config = {}) {
      const pacs = createPacs(linkTo(peer, config), { receiver, journal, clock });
      opened.push(() => pacs.close());
      return pacs;
    },
  };
}

/** Configuration of the bench's link to this PACS. */
export function linkTo(
  peer: Pick<PacsConfig, 'host' | 'port' | 'aeTitle'>,
  over: Partial<PacsConfig> = {},
): PacsConfig {
  return {
    wadoFqdn: 'db.test',
    viewerFqdn: 'vi.test',
    publicPort: 443,
    retrieveLocationUid: '1.2.3',
    name: 'pacs',
    host: peer.host,
    port: peer.port,
    aeTitle: peer.aeTitle,
    callingAeTitle: 'DRIMBOX',
    aeTitlePool: pool,
    relationalQueries: 'auto',
    maxConcurrentMoves: 3,
    connectTimeoutMs: 3_000,
    responseTimeoutMs: 10_000,
    excludedSopInstanceRoots: [],
    patientChecks: true,
    ...over,
  };
}

export async function orthanc(
  bench: Bench,
  name: string,
  options: { noDelay: boolean; onFind?: 'Always' | 'Never' },
): Promise<Orthanc> {
  const { noDelay, onFind = 'Always' } = options;
  const started = await startOrthanc({
    directory: join(root, name),
    noDelay,
    modalities: bench.destinations,
    storageAccessOnFind: onFind,
    throwaway: true,
  });
  opened.push(() => started.stop());
  for (const { file } of all) await started.upload(file);
  return started;
}

export const peerOf = (part: Orthanc) => ({ aeTitle: part.aeTitle, host: part.host, port: part.dicomPort });

export async function pynetdicom(bench: Bench, name: string, misbehaviour: Misbehaviour = {}): Promise<PynetdicomPacs> {
  const started = await startPynetdicom({
    directory: root,
    logFile: join(root, `${name}.log`),
    destinations: bench.destinations,
    misbehaviour,
  });
  opened.push(() => started.stop());
  return started;
}

/** Collects what a lease receives, as SHA-256 of each data set. */
export function collect(lease: AeLease, accept: readonly Uid[] = [jpegLs, explicit]): Map<string, string> {
  const received = new Map<string, string>();
  lease.receive(async (instance) => {
    const hash = createHash('sha256');
    for await (const bytes of instance.data) hash.update(bytes);
    assert.not.ok(received.has(instance.sopInstanceUid), 'delivered once');
    received.set(instance.sopInstanceUid, hash.digest('hex'));
  }, accept);
  return received;
}

export const expected = (series: GeneratedStudy): Map<string, string> =>
  new Map(series.instances.map((instance) => [instance.sopInstanceUid, instance.sha256]));

export function assertSame(received: ReadonlyMap<string, string>, series: GeneratedStudy): void {
  const wanted = expected(series);
  assert.is(received.size, wanted.size);
  for (const [sop, hash] of wanted) assert.is(received.get(sop), hash, sop);
}

export function assertWholeStudy(found: FoundStudy | undefined): void {
  assert.ok(found);
  const lines = (
    instances: readonly {
      sopInstanceUid: string;
      sopClassUid: string | undefined;
      instanceNumber: number | undefined;
    }[],
  ): string[] =>
    instances.map((one) => `${one.sopInstanceUid} ${one.sopClassUid ?? 'unknown'} ${one.instanceNumber ?? ''}`).sort();
  assert.equal(lines(found.instances), lines(all));
  assert.equal(found.series.map((series) => series.modality).sort(), ['CT', 'MR', 'SR']);
  assert.is(found.studyDescription, 'Étude synthétique');
  assert.is(found.patientId, 'IPP0001');
  assert.is(found.patientBirthDate, inventPatient(1).birthDate);
}

export async function failure(promise: Promise<unknown>): Promise<PacsError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof PacsError) return error;
    throw error;
  }
  throw new Error('it was expected to fail');
}

export async function closeOpened(): Promise<void> {
  for (const undo of opened.splice(0).reverse()) await undo();
}

export async function removeFiles(): Promise<void> {
  await rm(root, { recursive: true, force: true });
}
