import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { InsIdentity } from '../domain.ts';
import { compareKos } from './compare.ts';
import { readDataSet } from './data-set-reader.ts';
import { DataSetText } from './data-set-text.ts';
import { type DecodedKos, decodeKos } from './decode.ts';
import { encodeKos } from './encode.ts';
import type { Kos } from './kos.ts';
import { foundStudy, kosInput, samplePatient, sampleKos, uid } from './sample.fixture.ts';
import { T } from './tags.ts';

/** What a KOS keeps of its model: acts and regions by label only (ci-sis §4.7). */
function kept(kos: Kos): DecodedKos {
  const labelled = (codes: Kos['acts']): Kos['acts'] => codes.map(({ label }) => ({ code: '', system: '', label }));
  return { ...kos, acts: labelled(kos.acts), regions: labelled(kos.regions) };
}

function dataSet(bytes: Buffer): DataSetText {
  const start = 144 + bytes.readUInt32LE(140);
  return new DataSetText({ dataSet: readDataSet(bytes.subarray(start), true), charset: 'ISO_IR 100' });
}

test('what is written reads back', () => {
  const institution = { id: '1999999999', name: "Cabinet d'essai" };
  const kos = sampleKos({ institution });
  const { bytes, notes } = encodeKos(kos);
  assert.equal(notes, []);
  assert.equal(decodeKos(bytes), kept(kos));
});

test('random manifests read back as they were', () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const letters = 'ABÉÈÇÂÿ';
  const latin = (length: number): string =>
    Array.from({ length: random(length) }, () => letters[random(7)] ?? '').join('');
  for (let round = 0; round < 150; round += 1) {
    const sizes = Array.from({ length: 1 + random(4) }, () => 1 + random(5));
    const found = foundStudy(sizes, { studyDescription: `X${latin(60)}`.slice(0, 64), studyId: latin(10) });
    const patient: InsIdentity = {
      ...samplePatient,
      birthFamily: `N${latin(20).trim()}`,
      birthGivenList: `P${latin(30).trim()}`,
      sex: (['M', 'F', 'O'] as const)[random(3)] ?? 'O',
      ...(random(2) === 1 && { usedFamily: `U${latin(10).trim()}` }),
      ...(random(2) === 1 && { usedGiven: `V${latin(10).trim()}` }),
    };
    const institution = { id: '1999999999', name: 'Cabinet' };
    const kos = sampleKos({ found, institution, report: { ...kosInput().report, patient } });
    const back = decodeKos(encodeKos(kos).bytes);
    assert.equal(back, kept(kos));
    assert.equal(compareKos(kos, back), []);
  }
});

const pairs: readonly (readonly [Partial<InsIdentity>, string])[] = [
  [{}, '^MARIE ANNE LOUISE'],
  [{ usedFamily: 'FICTIF' }, '^MARIE ANNE LOUISE\\FICTIF'],
  [{ usedGiven: 'ANNE' }, '^MARIE ANNE LOUISE\\^ANNE'],
  [{ usedFamily: 'EXEMPLE', usedGiven: 'MARIE' }, '^MARIE ANNE LOUISE\\EXEMPLE^MARIE'],
];
test('OtherPatientNames: the four pairs of used name and used given name', () => {
  for (const [used, expected] of pairs) {
    const report = { ...kosInput().report, patient: { ...samplePatient, ...used } };
    assert.is(dataSet(encodeKos(sampleKos({ report })).bytes).text(T.otherPatientNames), expected);
  }
});

test('INS in PatientID and OtherPatientIDs with issuer and OID; accession number only in the requests', () => {
  const root = dataSet(encodeKos(sampleKos()).bytes);
  for (const at of [root, root.first(T.otherPatientIds)]) {
    assert.is(at?.text(T.patientId), samplePatient.matricule);
    assert.is(at?.text(T.issuerOfPatientId), 'ASIP-SANTE-INS-NIR');
    assert.is(at?.first(T.issuerOfPatientIdQualifiers)?.text(T.universalEntityId), samplePatient.oid);
  }
  assert.is(root.text(T.accessionNumber), '');
  assert.is(root.first(T.referencedRequest)?.text(T.accessionNumber), 'ACN1001');
  assert.is(root.text(T.patientComments), '99403');
});

test('InstitutionName keeps the id whole and cuts the name', () => {
  const institution = { id: '1999999999', name: `Centre ${'x'.repeat(80)}` };
  const { bytes, notes } = encodeKos(sampleKos({ institution }));
  const written = dataSet(bytes).text(T.institutionName);
  assert.is(written.length, 64);
  assert.match(written, /^Centre x+\^{9}1999999999$/);
  assert.ok(notes.some((note) => note.startsWith('InstitutionName: cut')));
});

test('a long accession number is written as is and noted', () => {
  const [order] = kosInput().report.orders;
  if (order === undefined) throw new Error('no order');
  const accessionNumber = { value: 'ACN-20260310-0000001', authority: '1.2.3' };
  const report = { patient: samplePatient, orders: [{ ...order, accessionNumber }] };
  const { bytes, notes } = encodeKos(sampleKos({ report }));
  assert.is(decodeKos(bytes).requests[0]?.accessionNumber.value, 'ACN-20260310-0000001');
  assert.is(notes.length, 2);
});

test('what Latin-1 lacks is transliterated and said; the rest is kept', () => {
  const patient = { ...samplePatient, birthFamily: 'LŒUVRE', birthGivenList: 'ÉLOÏ ŁUCJA', firstBirthGiven: 'ÉLOÏ' };
  const { bytes, notes } = encodeKos(sampleKos({ report: { ...kosInput().report, patient } }));
  const back = decodeKos(bytes).patient;
  assert.equal([back.birthFamily, back.firstBirthGiven, back.birthGivenList], ['LOEUVRE', 'ÉLOÏ', 'ÉLOÏ LUCJA']);
  assert.ok(notes.some((note) => note.includes('Œ')) && notes.some((note) => note.includes('Ł')));
});

test('hostile text cannot add a value, a component or a line', () => {
  const found = foundStudy([1], { studyDescription: 'a\\b\nSérie-1.2 : CT @ : fake', studyTime: '09\\10ŒŒŒŒŒŒŒŒŒ' });
  const patient = { ...samplePatient, birthFamily: 'A^B=C\\D' };
  const back = decodeKos(encodeKos(sampleKos({ found, report: { ...kosInput().report, patient } })).bytes);
  assert.is(back.patient.birthFamily, 'A B C/D');
  assert.is(back.series.length, 1);
  assert.is(back.studyDescription, 'a/b Série-1.2 : CT @ : fake');
});

test('value types follow the SOP class', () => {
  const classes = ['1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.9.1.1', '1.2.840.10008.5.1.4.1.1.88.59'];
  const [one] = foundStudy([1]).instances;
  if (one === undefined) throw new Error('no instance');
  const instances = classes.map((sopClassUid, index) => ({
    ...one,
    sopClassUid: uid(sopClassUid),
    sopInstanceUid: uid(`2.25.40.${index}`),
    instanceNumber: index,
  }));
  const root = dataSet(encodeKos(sampleKos({ found: foundStudy([1], { instances }) })).bytes);
  assert.equal(
    root.items(T.contentSequence).map((item) => item.text(T.valueType)),
    ['TEXT', 'IMAGE', 'WAVEFORM', 'COMPOSITE'],
  );
});

test('compare: a new version of the same exam is no difference, a changed one says what changed', () => {
  const before = sampleKos();
  const again = sampleKos({ newUid: () => uid('2.25.99'), now: new Date(0) });
  assert.equal(compareKos(before, again), []);
  const changed = sampleKos({
    found: foundStudy([2, 1]),
    report: { ...kosInput().report, patient: { ...samplePatient, birthDate: '19850413' } },
    pacs: { ...kosInput().pacs, wadoFqdn: 'db2.example' },
  });
  assert.equal(
    compareKos(before, changed).map(({ what }) => what),
    ['patient.birthDate', 'series 2.25.10.1: url', 'series 2.25.10.1: instances', 'series 2.25.10.2: url'],
  );
});

test.run();
