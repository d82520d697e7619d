/** A KOS as a whole Part 10 file, Explicit VR Little Endian, ISO_IR 100 (ci-sis §4.1–4.7). */
import { type DataSet, writeDataSet } from './data-set-writer.ts';
import { concept, entity, sequence, text } from './elements.ts';
import type { Kos } from './kos.ts';
import { evidence, content, requests } from './encode-references.ts';
import { wrapPart10 } from './part10.ts';
import { TextFitter } from './text-fitter.ts';
import { T } from './tags.ts';

export interface EncodedKos {
  /** The document sent to the DMP: preamble, file meta, data set. */
  readonly bytes: Buffer;
  /** What had to be written otherwise than given (transliterated, cut, too long), one sentence each. */
  readonly notes: readonly string[];
}

export const KEY_OBJECT_SELECTION = '1.2.840.10008.5.1.4.1.1.88.59';

/** @throws RangeError when a value can't be written in its VR. */
export function encodeKos(kos: Kos): EncodedKos {
  const fit = new TextFitter();
  const dataSet = writeDataSet([
    ...general(kos, fit),
    ...patientModule(kos, fit),
    requests(kos, fit),
    evidence(kos),
    content(kos, fit),
  ]);
  return { bytes: wrapPart10(KEY_OBJECT_SELECTION, kos.sopInstanceUid, dataSet), notes: fit.notes };
}

function general(kos: Kos, fit: TextFitter): DataSet {
  const { createdDate: date, createdTime: time } = kos;
  return [
    text(T.specificCharacterSet, 'CS', 'ISO_IR 100'),
    text(T.instanceCreationDate, 'DA', date),
    text(T.instanceCreationTime, 'TM', time),
    text(T.sopClassUid, 'UI', KEY_OBJECT_SELECTION),
    text(T.sopInstanceUid, 'UI', kos.sopInstanceUid),
    text(T.studyDate, 'DA', fit.value('StudyDate', kos.studyDate, 8)),
    text(T.seriesDate, 'DA', date),
    text(T.contentDate, 'DA', date),
    text(T.studyTime, 'TM', fit.value('StudyTime', kos.studyTime, 14)),
    text(T.seriesTime, 'TM', time),
    text(T.contentTime, 'TM', time),
    text(T.accessionNumber, 'SH', ''),
    text(T.modality, 'CS', 'KO'),
    text(T.manufacturer, 'LO', fit.value('Manufacturer', kos.manufacturer, 64)),
    text(T.institutionName, 'LO', institutionName(kos, fit)),
    text(T.referringPhysicianName, 'PN', ''),
    text(T.timezoneOffset, 'SH', kos.timezoneOffset),
    text(T.studyDescription, 'LO', fit.value('StudyDescription', kos.studyDescription, 64)),
    sequence(T.referencedPerformedProcedureStep, []),
    text(T.studyInstanceUid, 'UI', kos.studyInstanceUid),
    text(T.seriesInstanceUid, 'UI', kos.seriesInstanceUid),
    text(T.studyId, 'SH', fit.value('StudyID', kos.studyId, 16)),
    text(T.seriesNumber, 'IS', '59'),
    text(T.instanceNumber, 'IS', '1'),
    text(T.valueType, 'CS', 'CONTAINER'),
    concept(T.conceptName, '113030', 'Manifest'),
    text(T.continuityOfContent, 'CS', 'SEPARATE'),
    // Key Object Selection, PS3.16 TID 2010.
    sequence(T.contentTemplate, [[text(T.mappingResource, 'CS', 'DCMR'), text(T.templateIdentifier, 'CS', '2010')]]),
  ];
}

/** XON layout: name, nine carets, id; the name gives way to the id (ci-sis §4.2). */
function institutionName({ institution }: Kos, fit: TextFitter): string {
  const carets = '^'.repeat(9);
  const room = 64 - carets.length - institution.id.length;
  return `${fit.component('InstitutionName', institution.name, room)}${carets}${fit.value('Struct_IdNat', institution.id, 55)}`;
}

/** INS-NIR and INS-NIA by their OIDs (ci-sis §0.1, §4.3). */
export function issuerLabel(insOid: string): string {
  return insOid === '1.2.250.1.213.1.4.9' || insOid === '1.2.250.1.213.1.4.11'
    ? 'ASIP-SANTE-INS-NIA'
    : 'ASIP-SANTE-INS-NIR';
}

function patientModule({ patient }: Kos, fit: TextFitter): DataSet {
  const name = (label: string, part: string): string => fit.component(label, part, 64);
  const identifier: DataSet = [
    text(T.patientId, 'LO', fit.value('PatientID', patient.matricule, 64)),
    text(T.issuerOfPatientId, 'LO', issuerLabel(patient.oid)),
    entity(T.issuerOfPatientIdQualifiers, patient.oid),
  ];
  const [family, given] = [name('PatientName', patient.birthFamily), name('PatientName', patient.firstBirthGiven)];
  return [
    ...identifier,
    text(T.patientName, 'PN', `${family}^${given}`),
    text(T.patientBirthDate, 'DA', patient.birthDate),
    text(T.patientSex, 'CS', patient.sex),
    text(T.otherPatientNames, 'PN', otherPatientNames(patient, name)),
    sequence(T.otherPatientIds, [[...identifier, text(T.typeOfPatientId, 'CS', 'TEXT')]]),
    text(T.patientComments, 'LT', fit.value('PatientComments', patient.birthPlace, 64)),
  ];
}

/** Truth table of ci-sis §4.3.1: the list of birth given names, then the used name as soon as one part of it exists. */
function otherPatientNames(patient: Kos['patient'], name: (label: string, part: string) => string): string {
  const given = `^${name('OtherPatientNames', patient.birthGivenList)}`;
  const { usedFamily, usedGiven } = patient;
  if (usedFamily === undefined && usedGiven === undefined) return given;
  const used = name('OtherPatientNames', usedFamily ?? '');
  return `${given}\\${used}${usedGiven === undefined ? '' : `^${name('OtherPatientNames', usedGiven)}`}`;
}
