/** One event, one catalogue: what reaches log, metrics, audit and statistics, and that traces are kept as they are. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Log } from '../../common/observability/log.ts';
import { openDatabase } from '../source/archive/database.ts';
import { createTraceStore } from '../source/archive/traces.ts';
import { catalogue } from './catalogue.ts';
import { errorCatalogue } from './error-codes.ts';
import type { JournalEvent } from './events.ts';
import { createJournal } from './journal.ts';
import { createMetrics } from './metrics.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-journal-'));
const database = await openDatabase(join(directory, 'archive.sqlite'));
test.after(async () => {
  await database.close();
  rmSync(directory, { recursive: true });
});

const lines: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
const log: Log = {
  write: (_level, message, fields = {}) => void lines.push({ message, fields }),
  child: () => log,
  setLevel: () => undefined,
};
const metrics = createMetrics({ ris: ['ris'], pacs: ['pacs'] });
const journal = createJournal({
  log,
  metrics,
  store: createTraceStore(database),
  context: { structureId: '1750000001', systemId: 'drimbox-nord', host: 'db1.nord.example' },
  now: () => new Date('2026-03-10T10:00:00Z'),
});

const understood: JournalEvent = {
  name: 'ReportUnderstood',
  controlId: 'M1',
  ris: 'ris',
  remote: '192.0.2.1',
  messageType: 'ORU',
  documentId: '2.25.1',
  action: 'initial',
  studies: ['2.25.2'],
  accessionNumbers: ['ACN1^^^1.2.3'],
  structureId: '1750000002',
  professionalId: '899999999901',
  patient: { matricule: '285049940301299', oid: '1.2.250.1.213.1.4.10' },
};
const sent: JournalEvent = {
  name: 'RetrieveCompleted',
  request: 'r1',
  pacs: 'pacs',
  study: '2.25.2',
  series: '2.25.3',
  peer: 'db9.caller.example',
  remote: '192.0.2.9',
  professionalId: '899999999901',
  situation: '1750000009',
  structureId: '1750000002',
  retrieveLocationUid: '2.25.4',
  instances: 3,
  bytes: 300,
  transferSyntaxes: { '1.2.840.10008.1.2.4.80': 3 },
  modality: 'CT',
  firstImageSeconds: 0.1,
  seconds: 0.5,
};
const refused: JournalEvent = {
  name: 'RetrieveRefused',
  request: 'r2',
  pacs: 'pacs',
  study: '2.25.2',
  series: '2.25.3',
  peer: 'db8.stranger.example',
  remote: '192.0.2.8',
  professionalId: '',
  situation: '',
  code: 'E1102',
  httpStatus: 401,
  detail: 'not listed',
};

async function audits(event: string): Promise<
  {
    readonly eventId: string;
    readonly action: string;
    readonly outcome: number;
    readonly outcomeDescription?: string;
    readonly record: Record<string, Record<string, unknown>>;
  }[]
> {
  await journal.flush();
  const rows = await database.query('SELECT record FROM audit WHERE event = ? ORDER BY id', [event]);
  return rows.map((row) => JSON.parse(String(row['record'])) as never);
}

test('a report received is traced with source, destination and document', async () => {
  journal.record(understood);
  const [audit] = await audits('ReportUnderstood');
  assert.equal([audit?.eventId, audit?.action, audit?.outcome], ['110107', 'C', 0]);
  assert.is(audit?.record['eventTypeCode']?.['code'], 'RAD-128');
  assert.is(audit?.record['source']?.['userId'], 'ACN1^^^1.2.3');
  assert.is(audit?.record['destination']?.['userId'], '1750000002/drimbox-nord');
  assert.is(audit?.record['destination']?.['alternativeUserId'], '899999999901');
  assert.is(audit?.record['document']?.['objectId'], '2.25.1');
});

test('images sent and images refused are traced, with the code of the refusal', async () => {
  journal.record(sent);
  journal.record(refused);
  const [completed] = await audits('RetrieveCompleted');
  assert.equal([completed?.eventId, completed?.action, completed?.outcome], ['110106', 'R', 0]);
  assert.is(completed?.record['source']?.['userId'], '1750000009');
  assert.is(completed?.record['document']?.['repositoryUniqueId'], '2.25.4');
  const [denied] = await audits('RetrieveRefused');
  assert.equal([denied?.outcome, denied?.outcomeDescription], [8, 'E1102']);
  assert.is(denied?.record['source']?.['alternativeUserId'], 'false', 'an unknown user is said to be unknown');
});

test('a trace can be found by patient, and never changed', async () => {
  await journal.flush();
  const found = await database.query('SELECT event FROM audit WHERE patient_matricule = ? ORDER BY at', [
    '285049940301299',
  ]);
  assert.equal(
    found.map((row) => row['event']),
    ['ReportUnderstood'],
  );
  const change = await database.transaction([{ sql: `UPDATE audit SET record = '{}'`, params: [] }]).then(
    () => 'changed',
    (error: unknown) => String(error),
  );
  assert.match(change, 'audit records are never changed');
});

test('the same events feed statistics and metrics', async () => {
  await journal.flush();
  const rows = await database.query('SELECT statistic, dimension, value FROM statistics ORDER BY id');
  const of = (statistic: string): unknown[] =>
    rows.filter((row) => row['statistic'] === statistic).map((row) => [row['dimension'], row['value']]);
  assert.equal(of('STF22'), [['', 1]]);
  assert.equal(of('STF07'), [['', 1]]);
  assert.equal(of('STF08'), [['', 1]]);
  assert.equal(of('STF09'), [['1.2.840.10008.1.2.4.80', 3]]);
  assert.equal(of('STF10'), [['CT', 3]]);
  const text = await metrics.registry.metrics();
  assert.match(text, 'drimbox_retrieves_total{pacs="pacs",outcome="success",code=""} 1');
  assert.match(text, 'drimbox_retrieves_total{pacs="pacs",outcome="error",code="E1102"} 1');
});

test('each KOS error is traced with its code', async () => {
  const codes = ['E001', 'E003', 'E004', 'E005', 'E006', 'E007', 'E008'] as const;
  for (const code of codes)
    journal.record({
      name: 'PublicationFailed',
      job: '1',
      study: '2.25.2',
      structureId: '1750000002',
      code,
      detail: code,
    });
  const traced = await audits('PublicationFailed');
  assert.equal(
    traced.map(({ outcomeDescription }) => outcomeDescription),
    [...codes],
  );
});

test('every event has a sentence and a level; series exist at zero before anything happens', async () => {
  for (const [name, meaning] of Object.entries(catalogue))
    assert.ok(meaning.sentence !== '' && ['debug', 'info', 'warn', 'error'].includes(meaning.level), name);
  const text = await createMetrics({ ris: ['a'], pacs: ['b'] }).registry.metrics();
  for (const code of Object.keys(errorCatalogue).filter((one) => one.length === 4))
    assert.match(text, `code="${code}"} 0`);
});

test.run();
