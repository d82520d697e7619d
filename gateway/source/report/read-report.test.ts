import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { removableData } from '../../../e2e/parts/cda.ts';
import { patients } from '../../../e2e/parts/patients.ts';
import { aReport, aStudy, examChangeMessage, reportMessage } from '../../../e2e/parts/reports.ts';
import { readReport } from './read-report.ts';
import type { ReportReading, ReportReceived } from './report.ts';

const limits = { maxDocumentBytes: 20_000_000 };
type Over = Parameters<typeof aReport>[0];
const read = (over: Over = {}): ReportReading => readReport(reportMessage(aReport(over)), limits);

function understood(reading: ReportReading): ReportReceived {
  if (reading.kind !== 'understood') throw new Error(JSON.stringify(reading));
  return reading.report;
}

test('ORU and MDM say the same of the same exam', () => {
  for (const level of ['N1', 'N3'] as const) {
    const [oru, mdm] = (['ORU', 'MDM'] as const).map((transport) => understood(read({ transport, cda: { level } })));
    assert.equal({ ...oru, message: 0 }, { ...mdm, message: 0 });
    assert.is(oru?.document.level, level);
  }
});

test('every datum of the message and of the CDA header', () => {
  const report = understood(
    read({ patient: patients.accented, flags: { ...aReport().flags, invisibleToLegalRepresentatives: true } }),
  );
  const { ipp, ...identity } = patients.accented;
  assert.equal(report.patient, identity);
  assert.equal(report.localPatientId, { value: ipp, authority: '1.2.250.1.213.4.5.2.4' });
  assert.equal(report.orders, [
    {
      accessionNumber: { value: 'ACN1001', authority: '1.2.250.1.213.4.5.2.5' },
      placerOrderNumber: { value: 'OPN1001', authority: '1.2.250.1.213.4.5.2.6' },
    },
  ]);
  const [study, ...more] = report.studies;
  assert.equal(more, []);
  assert.is(study?.studyInstanceUid, aStudy.studyInstanceUid);
  assert.equal(
    [study?.modalities, study?.regions, study?.acts].map((codes) => codes?.map(({ code }) => code)),
    [['CT'], ['774007'], ['24725-4', 'ACQK001']],
  );
  assert.equal([study?.start, study?.stop], [aStudy.start, aStudy.stop]);
  assert.equal(study?.performer, { id: '1999999999', name: 'Cabinet d’essai de la Côte' });
  assert.is(study?.practiceSetting?.code, 'AMBULATOIRE');
  assert.is(report.healthcareFacilityType?.code, 'SA08');
  assert.is(report.legalAuthenticator.id, '899999999901');
  assert.is(report.author.specialty?.code, 'G15_10/SM44');
  assert.is(report.visibility.invisibleToLegalRepresentatives, true);
  assert.equal([report.publishToDmp, report.insQualified, report.patientClass], [true, true, 'O']);
});

for (const datum of removableData) {
  test(`without ${datum} the report is incomplete, E005, and one fault names it`, () => {
    const reading = read({ without: [datum], ...(datum === 'practice' && { variant: 'noSender' }) });
    if (reading.kind !== 'incomplete') throw new Error(reading.kind);
    assert.is(reading.faults.length, 1);
    const [fault] = reading.faults;
    assert.is(fault?.code, 'E005');
    assert.match(fault?.field ?? '', /^\/ClinicalDocument\//);
    assert.ok(fault?.rule && fault.advice && fault.source);
    assert.is(reading.message.controlId, 'M1');
    assert.is(reading.partial.publishToDmp, true);
  });
}

test('without a local patient id the report is incomplete', () => {
  const reading = read({ variant: 'noLocalPatientId' });
  assert.ok(reading.kind === 'incomplete' && reading.faults[0]?.field === 'PID-3');
});

test('the structure of the sender stands for a legal authenticator without one', () => {
  assert.is(understood(read({ without: ['practice'] })).legalAuthenticator.organization.id, '1999999998');
});

test('an INS with a wrong key is named; Corsican ones are right', () => {
  const wrong = { ...patients.marie, matricule: `${patients.marie.matricule.slice(0, 13)}00` };
  const reading = read({ patient: wrong });
  assert.ok(reading.kind === 'incomplete' && reading.faults.some(({ rule }) => rule.includes('key')));
  for (const patient of [patients.corsicanSouth, patients.corsicanNorth])
    assert.is(understood(read({ patient })).patient.matricule, patient.matricule);
});

test('a message and a document of two patients are not taken for a report', () => {
  assert.is(read({ variant: 'otherInsInPid' }).kind, 'incomplete');
});

test('action: event, OBX-11 and ORC-1 decide, the CDA after them', () => {
  const actions = (['initial', 'replacement', 'deletion'] as const).flatMap((action) =>
    (['ORU', 'MDM'] as const).map((transport) => understood(read({ action, transport })).action),
  );
  assert.equal(actions, ['initial', 'initial', 'replacement', 'replacement', 'deletion', 'deletion']);
  const replacing = understood(read({ cda: { replaces: '2.25.4999' } }));
  assert.equal([replacing.action, replacing.document.replaces?.value], ['replacement', '2.25.4999']);
  assert.is(understood(read({ cda: { version: 2 } })).action, 'replacement');
});

test('TXA-13 names the document replaced when the CDA does not', () => {
  const wire = reportMessage(aReport({ transport: 'MDM', action: 'replacement' })).toString();
  const named = wire.replace(/(TXA(?:\|[^|\r]*){12}\|)/, '$1OLD^^2.25.4^ISO');
  const report = understood(readReport(Buffer.from(named), limits));
  assert.equal(report.document.replaces, { value: 'OLD', authority: '2.25.4' });
});

test('a CDA nested beyond measure is refused, not read', () => {
  const deep = `<ClinicalDocument xmlns="urn:hl7-org:v3">${'<a>'.repeat(200_000)}`;
  const wire = reportMessage(aReport())
    .toString()
    .replace(/Base64\^[^|]*/, `Base64^${Buffer.from(deep).toString('base64')}`);
  assert.is(readReport(Buffer.from(wire), limits).kind, 'refused');
  assert.is(read().kind, 'understood', 'the reader still works');
});

test('DESTDMP: N is no, absent is unknown and warned', () => {
  assert.is(understood(read({ variant: 'notForDmp' })).publishToDmp, false);
  const absent = read({ variant: 'noDestination' });
  assert.is(understood(absent).publishToDmp, undefined);
  assert.ok(absent.kind === 'understood' && absent.warnings.some(({ rule }) => rule.includes('DESTDMP')));
});

test('several studies, orders and serviceEvents of the same study', () => {
  const other = { ...aStudy, studyInstanceUid: '2.25.1002', modality: 'MR' };
  const again = { ...aStudy, modality: 'PT', region: { code: '38266002', label: 'corps entier' } };
  const [order] = aReport().cda.orders;
  if (order === undefined) throw new Error('no order');
  const second = { ...order, accession: { value: 'ACN1002', authority: '1.2.3' } };
  const report = understood(read({ cda: { studies: [aStudy, other, again], orders: [order, second] } }));
  assert.equal(
    report.studies.map(({ studyInstanceUid, modalities }) => [studyInstanceUid, ...modalities.map(({ code }) => code)]),
    [
      ['2.25.1001', 'CT', 'PT'],
      ['2.25.1002', 'MR'],
    ],
  );
  assert.equal(
    report.orders.map(({ accessionNumber }) => accessionNumber.value),
    ['ACN1001', 'ACN1002'],
  );
});

test('two documents of one ORU: the structured one is read, both ids are kept', () => {
  const base = aReport().cda;
  const report = understood(read({ second: { ...base, level: 'N3', id: '2.25.5002' } }));
  assert.equal([report.document.id.value, report.document.level], ['2.25.5002', 'N3']);
  assert.equal(report.document.otherIds, [{ value: '2.25.5001', authority: '' }]);
});

test('ISO-8859-15, ISO-8859-1 and no MSH-18 read the same names', () => {
  const named = (characterSet: '8859/15' | '8859/1' | '' | 'UNICODE UTF-8'): string =>
    understood(read({ characterSet, sendingApplication: 'RIS_CÔTÉ' })).message.sendingApplication;
  assert.equal([named('8859/15'), named('8859/1'), named(''), named('UNICODE UTF-8')], Array(4).fill('RIS_CÔTÉ'));
});

const refusals: readonly (readonly [string, Buffer, 'AE' | 'AR', string, string])[] = [
  ['no MSH', reportMessage(aReport({ variant: 'noMsh' })), 'AR', '100', 'MSH'],
  ['no PID', reportMessage(aReport({ variant: 'noPid' })), 'AE', '101', 'PID'],
  ['no document', reportMessage(aReport({ variant: 'noDocument' })), 'AE', '101', 'OBX-5'],
  ['not base64', reportMessage(aReport({ variant: 'notBase64' })), 'AE', '102', 'OBX-5.5'],
  ['not XML', reportMessage(aReport({ variant: 'notXml' })), 'AE', '102', 'OBX-5.5'],
  ['a DOCTYPE', reportMessage(aReport({ variant: 'doctype' })), 'AE', '102', 'OBX-5.5'],
  ['no control id', reportMessage(aReport({ controlId: '' })), 'AE', '101', 'MSH-10'],
  ['another type', Buffer.from('MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5\r'), 'AR', '200', 'MSH-9.1'],
  ['another event', Buffer.from('MSH|^~\\&|A|B|C|D|2026||MDM^T01|1|P|2.6\r'), 'AR', '201', 'MSH-9.2'],
  ['another version', Buffer.from('MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.2\r'), 'AR', '203', 'MSH-12'],
  ['no processing id', Buffer.from('MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|X|2.5\r'), 'AR', '202', 'MSH-11'],
  [
    'unknown charset',
    Buffer.from(`MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5${'|'.repeat(6)}GB 18030\r`),
    'AE',
    '103',
    'MSH-18',
  ],
  [
    'bytes not of the charset',
    Buffer.from(`MSH|^~\\&|\xe9|B|C|D|2026||ORU^R01|1|P|2.5${'|'.repeat(6)}UTF-8\r`, 'latin1'),
    'AE',
    '102',
    'MSH-18',
  ],
  ['OMI without study', Buffer.from('MSH|^~\\&|A|B|C|D|2026||OMI^O23|1|P|2.5.1\rIPC|A\r'), 'AE', '101', 'IPC-3'],
];
for (const [name, bytes, acknowledgement, code, field] of refusals) {
  test(`refused: ${name}`, () => {
    const reading = readReport(bytes, limits);
    if (reading.kind !== 'refused') throw new Error(reading.kind);
    assert.equal(
      [reading.acknowledgement, reading.faults[0]?.code, reading.faults[0]?.field],
      [acknowledgement, code, field],
    );
  });
}

test('a document over the limit is refused', () => {
  const reading = readReport(reportMessage(aReport()), { maxDocumentBytes: 1000 });
  assert.ok(reading.kind === 'refused' && reading.faults[0]?.code === '207');
});

test('OMI^O23 is an exam change, whatever ORC-1', () => {
  const reading = readReport(examChangeMessage('2.25.1001', 'O1'), limits);
  if (reading.kind !== 'examChange') throw new Error(reading.kind);
  assert.equal([reading.studyInstanceUid, reading.message.controlId], ['2.25.1001', 'O1']);
});

test('the official samples are understood', () => {
  const official = join(import.meta.dirname, '../../../../shared/ans/hl7');
  const sample = (name: string, ours: Buffer): ReportReading =>
    readReport(existsSync(official) ? readFileSync(join(official, name)) : ours, limits);
  const initial = understood(sample('CR_I-ORU.hl7', reportMessage(aReport())));
  const mdm = understood(sample('CR_I-MDM.hl7', reportMessage(aReport({ transport: 'MDM' }))));
  const gone = understood(sample('CR_I_Depublication-ORU.hl7', reportMessage(aReport({ action: 'deletion' }))));
  assert.equal([initial.action, mdm.action, gone.action], ['initial', 'initial', 'deletion']);
  assert.equal(initial.document.id, gone.document.id);
  assert.equal(initial.studies[0]?.studyInstanceUid, mdm.studies[0]?.studyInstanceUid);
  assert.is(initial.orders[0]?.accessionNumber.value, existsSync(official) ? 'ACN110' : 'ACN1001');
  const change = sample('CR_W_Suppression-OMI.hl7', examChangeMessage('1.2.250.1.213.4.5.2.1.124', 'O1'));
  assert.ok(change.kind === 'examChange' && change.studyInstanceUid === '1.2.250.1.213.4.5.2.1.124');
});

test('random damage never makes the reader throw', () => {
  const whole = reportMessage(aReport({ cda: { bodyBytes: 50 } }));
  let seed = 20_260_310;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const kinds = new Set<string>();
  for (let round = 0; round < 600; round += 1) {
    const damaged = Buffer.from(whole.subarray(0, round % 3 === 0 ? random(whole.length) : whole.length));
    for (let change = random(8); change >= 0 && damaged.length > 0; change -= 1)
      damaged[random(damaged.length)] = random(256);
    kinds.add(readReport(damaged, limits).kind);
  }
  assert.ok(kinds.has('refused') && kinds.size > 1);
});

test.run();
