import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { localTime, timestampToUtc } from './local-time.ts';
import { foundStudy, kosInput, samplePatient, sampleKos, sampleRegion, uid } from './sample.fixture.ts';
import { type EntryReport, contentType, kosEntry } from './xds-entry.ts';

const organization = { id: '1999999999', name: 'Cabinet d’essai' };
const professional = { id: '899999999901', family: 'MODELE', given: 'Zoé', organization };
const report: EntryReport = {
  patient: samplePatient,
  localPatientId: { value: 'IPP0001', authority: '1.2.3' },
  author: professional,
  legalAuthenticator: professional,
  document: {
    confidentiality: { code: 'N', system: '2.16.840.1.113883.5.25', label: 'Normal' },
    language: 'fr-FR',
  },
  visibility: { maskedFromProfessionals: true, invisibleToPatient: false, invisibleToLegalRepresentatives: false },
  patientClass: 'O',
};
const ccam = { code: 'ACQK001', system: '1.2.250.1.215.300.1', label: 'Scanner du crâne' };
const study = {
  ...kosInput().study,
  acts: [...kosInput().study.acts, ccam, ccam],
  start: '20260710090000',
  stop: '20260110091500+0100',
};

test('event codes: modalities of PACS and report without KO, regions, CCAM acts, each once', () => {
  const found = foundStudy([1, 1, 1, 1]);
  const modalities = ['CT', 'SR', 'KO', 'CT'];
  const series = found.series.map((one, index) => ({ ...one, modality: modalities[index] ?? '' }));
  const { eventCodes } = kosEntry({
    report,
    study,
    kos: sampleKos({ found: { ...found, series } }),
    timeZone: 'Europe/Paris',
  });
  assert.equal(
    eventCodes.map(({ code, system }) => `${code} ${system}`),
    [
      'CT 1.2.840.10008.2.16.4',
      'SR 1.2.840.10008.2.16.4',
      `${sampleRegion.code} ${sampleRegion.system}`,
      'ACQK001 1.2.250.1.213.2.5',
    ],
  );
  assert.is(eventCodes[0]?.label, 'Tomodensitométrie');
});

test('times are UTC; one without offset is local to the site, summer or winter', () => {
  const entry = kosEntry({ report, study, kos: sampleKos(), timeZone: 'Europe/Paris' });
  assert.equal(
    [entry.creationTime, entry.serviceStartTime, entry.serviceStopTime],
    ['20260701223005', '20260710070000', '20260110081500'],
  );
  assert.is(timestampToUtc('20260329013000', 'Europe/Paris'), '20260329003000');
  assert.is(timestampToUtc('20260329033000', 'Europe/Paris'), '20260329013000');
  assert.is(timestampToUtc('20260310', 'Europe/Paris'), '20260309230000');
  assert.is(timestampToUtc('2026', 'Europe/Paris'), undefined);
  assert.is(timestampToUtc('{{date}}', 'Europe/Paris'), undefined);
  assert.equal(localTime(new Date(0), 'America/Cayenne'), { date: '19691231', time: '210000', offset: '-0300' });
});

test('the entry is the KOS of the study, with every accession and order number', () => {
  const [order] = kosInput().report.orders;
  if (order === undefined) throw new Error('no order');
  const earlier = { ...order, accessionNumber: { value: 'A0', authority: '1.2' } };
  const kos = sampleKos({ earlierRequests: [earlier] });
  const entry = kosEntry({ report, study, kos, timeZone: 'Europe/Paris' });
  assert.is(entry.uniqueId, kos.sopInstanceUid);
  assert.is(entry.studyInstanceUid, uid('2.25.1001'));
  assert.equal(
    entry.accessionNumbers.map(({ value }) => value),
    ['A0', 'ACN1001'],
  );
  assert.equal(
    entry.placerOrderNumbers.map(({ value }) => value),
    ['OPN1001'],
  );
  assert.equal(entry.visibility, report.visibility);
});

test('content type follows the patient class', () => {
  assert.equal(
    ['I', 'O', 'R', 'N', 'E', ''].map((patientClass) => contentType(patientClass).code),
    ['03', '07', '19', '97', '07', '07'],
  );
});

test.run();
