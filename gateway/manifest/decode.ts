/** A KOS file, ours or another DRIMbox's, back to its model; tolerant where ci-sis §4 says samples differ. */
import type { InsIdentity, Uid } from '../domain.ts';
import { parseUid } from '../domain.ts';
import { KosUnreadable, type ReadDataSet, readDataSet } from './data-set-reader.ts';
import { tagName } from './data-set-writer.ts';
import { DataSetText } from './data-set-text.ts';
import type { Kos, KosInstance, KosRequest, KosSeries } from './kos.ts';
import { T } from './tags.ts';
import { type TextValue, readTextValue } from './text-value.ts';

/** A location UID is not in every manifest (ci-sis §4.6). */
export type DecodedSeries = Omit<KosSeries, 'retrieveLocationUid'> & { readonly retrieveLocationUid?: Uid };
/** As `Kos`; acts and regions have only their labels, since the KOS carries no more (ci-sis §4.7). */
export type DecodedKos = Omit<Kos, 'series'> & { readonly series: readonly DecodedSeries[] };

const KEY_OBJECT_SELECTION = '1.2.840.10008.5.1.4.1.1.88.59';
const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';

/** @throws KosUnreadable when the bytes are no KOS manifest. */
export function decodeKos(bytes: Buffer): DecodedKos {
  const root = new DataSetText(openPart10(bytes));
  if (root.text(T.sopClassUid) !== KEY_OBJECT_SELECTION)
    throw new KosUnreadable(`(0008,0016): ${root.text(T.sopClassUid)} is not a Key Object Selection Document`);
  const concept = root.first(T.conceptName)?.text(T.codeValue);
  // 113030 whatever the case of its meaning (ci-sis §16 row 24); 113000 and others are key images or rejections.
  if (concept !== '113030') throw new KosUnreadable(`(0040,A043): ${concept ?? 'nothing'} is not Manifest (113030)`);
  const text = readTextValue(textItem(root));
  const series = root.items(T.currentRequestedProcedureEvidence).flatMap((item) => item.items(T.referencedSeries));
  // A file cut between two elements is still well formed: what every manifest has must be there.
  if (series.length === 0) throw new KosUnreadable('(0040,A375): the manifest references no series');
  if (root.items(T.contentSequence).length === 0) throw new KosUnreadable('(0040,A730): the manifest has no content');
  const [name = '', ...parts] = root.text(T.institutionName).split('^');
  const label = (value: string): { code: string; system: string; label: string } => ({
    code: '',
    system: '',
    label: value,
  });
  return {
    sopInstanceUid: uid(root, T.sopInstanceUid),
    seriesInstanceUid: uid(root, T.seriesInstanceUid),
    studyInstanceUid: uid(root, T.studyInstanceUid),
    createdDate: root.text(T.instanceCreationDate),
    createdTime: root.text(T.instanceCreationTime),
    timezoneOffset: root.text(T.timezoneOffset),
    studyDate: root.text(T.studyDate),
    studyTime: root.text(T.studyTime),
    studyDescription: root.text(T.studyDescription),
    studyId: root.text(T.studyId),
    patient: readPatient(root),
    institution: { name: name.trim(), id: (parts.at(-1) ?? '').trim() },
    manufacturer: root.text(T.manufacturer),
    requests: root.items(T.referencedRequest).map(readRequest),
    acts: text.acts.map(label),
    regions: text.regions.map(label),
    series: series.map((item) => readSeries(item, text)),
  };
}

function openPart10(bytes: Buffer): { dataSet: ReadDataSet; charset: string } {
  if (bytes.toString('latin1', 128, 132) !== 'DICM') throw new KosUnreadable('no DICM after the preamble');
  if (bytes.length < 144 || bytes.readUInt32LE(132) !== 0x00000002)
    throw new KosUnreadable('no file meta group length');
  const metaEnd = 144 + bytes.readUInt32LE(140);
  if (metaEnd > bytes.length) throw new KosUnreadable('the file ends inside its meta information');
  const meta = new DataSetText({ dataSet: readDataSet(bytes.subarray(144, metaEnd), true), charset: '' });
  const syntax = meta.text(0x00020010);
  if (syntax !== EXPLICIT && syntax !== IMPLICIT)
    throw new KosUnreadable(`(0002,0010): transfer syntax ${syntax} is not uncompressed little endian`);
  const dataSet = readDataSet(bytes.subarray(metaEnd), syntax === EXPLICIT);
  return { dataSet, charset: dataSet.get(T.specificCharacterSet)?.bytes.toString('latin1').trim() ?? '' };
}

/** The TEXT item stands first or last: found by its value type (ci-sis §4.7). */
function textItem(root: DataSetText): string {
  const item = root.items(T.contentSequence).find((one) => one.text(T.valueType) === 'TEXT');
  return item?.text(T.textValue) ?? '';
}

function readPatient(root: DataSetText): InsIdentity {
  const [family = '', given = ''] = root.text(T.patientName).split('^');
  const [list = '', used] = root.text(T.otherPatientNames).split('\\');
  const [usedFamily = '', usedGiven = ''] = used?.split('^') ?? [];
  const sex = root.text(T.patientSex);
  return {
    matricule: root.text(T.patientId),
    oid: root.first(T.issuerOfPatientIdQualifiers)?.text(T.universalEntityId) ?? '',
    birthFamily: family.trim(),
    firstBirthGiven: given.trim(),
    birthGivenList: (list.split('^')[1] ?? '').trim(),
    ...(usedFamily.trim() !== '' && { usedFamily: usedFamily.trim() }),
    ...(usedGiven.trim() !== '' && { usedGiven: usedGiven.trim() }),
    sex: sex === 'M' || sex === 'F' ? sex : 'O',
    birthDate: root.text(T.patientBirthDate),
    birthPlace: root.text(T.patientComments),
  };
}

function readRequest(item: DataSetText): KosRequest {
  return {
    accessionNumber: {
      value: item.text(T.accessionNumber),
      authority: item.first(T.issuerOfAccessionNumber)?.text(T.universalEntityId) ?? '',
    },
    placerOrderNumber: {
      value: item.text(T.placerOrderNumber),
      authority: item.first(T.orderPlacerIdentifier)?.text(T.universalEntityId) ?? '',
    },
  };
}

function readSeries(item: DataSetText, text: TextValue): DecodedSeries {
  const seriesInstanceUid = uid(item, T.seriesInstanceUid);
  const described = text.series.get(seriesInstanceUid);
  const seriesNumber = item.number(T.seriesNumber);
  const location = parseUid(item.text(T.retrieveLocationUid));
  return {
    seriesInstanceUid,
    modality: described?.modality ?? '',
    description: described?.description ?? '',
    ...(seriesNumber === undefined ? {} : { seriesNumber }),
    // Samples carry blanks and line ends around the URL (ci-sis §4.6).
    retrieveUrl: item.text(T.retrieveUrl).replaceAll(/\s+/g, ''),
    ...(location === undefined ? {} : { retrieveLocationUid: location }),
    instances: item.items(T.referencedSop).map(readInstance),
  };
}

/** Key-image marks nested here (KIN, ci-sis §4.8) are passed over. */
function readInstance(item: DataSetText): KosInstance {
  const instanceNumber = item.number(T.instanceNumber);
  const numberOfFrames = item.number(T.numberOfFrames);
  return {
    sopClassUid: uid(item, T.referencedSopClassUid),
    sopInstanceUid: uid(item, T.referencedSopInstanceUid),
    ...(instanceNumber === undefined ? {} : { instanceNumber }),
    ...(numberOfFrames === undefined ? {} : { numberOfFrames }),
  };
}

function uid(dataSet: DataSetText, tag: number): Uid {
  const value = parseUid(dataSet.text(tag));
  if (value === undefined) throw new KosUnreadable(`${tagName(tag)}: "${dataSet.text(tag).slice(0, 70)}" is not a UID`);
  return value;
}
