/** What the KOS points at: requests, series and instances, and the content tree that repeats them (ci-sis §4.5–4.7). */
import type { DataSet, Element } from './data-set-writer.ts';
import { concept, entity, sequence, text } from './elements.ts';
import type { Kos, KosInstance, KosSeries } from './kos.ts';
import { T } from './tags.ts';
import type { TextFitter } from './text-fitter.ts';
import { writeTextValue } from './text-value.ts';

/** One item per pair of accession and order placer number. */
export function requests(kos: Kos, fit: TextFitter): Element {
  const items = kos.requests.map(({ accessionNumber, placerOrderNumber }): DataSet => [
    text(T.accessionNumber, 'SH', fit.identifier('AccessionNumber', accessionNumber.value, 16)),
    entity(T.issuerOfAccessionNumber, fit.identifier('Issuer', accessionNumber.authority, 64)),
    sequence(T.referencedStudySequence, []),
    text(T.studyInstanceUid, 'UI', kos.studyInstanceUid),
    text(T.requestedProcedureDescription, 'LO', ''),
    sequence(T.requestedProcedureCode, []),
    entity(T.orderPlacerIdentifier, fit.identifier('Issuer', placerOrderNumber.authority, 64)),
    text(T.requestedProcedureId, 'SH', ''),
    text(T.placerOrderNumber, 'LO', fit.identifier('PlacerOrderNumber', placerOrderNumber.value, 64)),
    text(T.fillerOrderNumber, 'LO', ''),
  ]);
  return sequence(T.referencedRequest, items);
}

export function evidence(kos: Kos): Element {
  const item: DataSet = [
    sequence(T.referencedSeries, kos.series.map(referencedSeries)),
    text(T.studyInstanceUid, 'UI', kos.studyInstanceUid),
  ];
  return sequence(T.currentRequestedProcedureEvidence, [item]);
}

function referencedSeries(series: KosSeries): DataSet {
  return [
    text(T.retrieveUrl, 'UR', series.retrieveUrl),
    sequence(T.referencedSop, series.instances.map(referencedInstance)),
    text(T.seriesInstanceUid, 'UI', series.seriesInstanceUid),
    ...optionalNumber(T.seriesNumber, series.seriesNumber),
    text(T.retrieveLocationUid, 'UI', series.retrieveLocationUid),
  ];
}

function referencedInstance(instance: KosInstance): DataSet {
  return [
    ...reference(instance),
    ...optionalNumber(T.instanceNumber, instance.instanceNumber),
    ...optionalNumber(T.numberOfFrames, instance.numberOfFrames),
  ];
}

/** First the TEXT item, as in the official KOS_OK, then one item per instance. */
export function content(kos: Kos, fit: TextFitter): Element {
  const contains = text(T.relationshipType, 'CS', 'CONTAINS');
  const description: DataSet = [
    contains,
    text(T.valueType, 'CS', 'TEXT'),
    concept(T.conceptName, '113012', 'Key Object Description'),
    text(T.textValue, 'UT', fit.latin1('TextValue', writeTextValue(kos))),
  ];
  const instances = kos.series.flatMap((series) => series.instances);
  const references = instances.map((instance): DataSet => [
    contains,
    text(T.valueType, 'CS', valueType(instance.sopClassUid)),
    sequence(T.referencedSop, [reference(instance)]),
  ]);
  return sequence(T.contentSequence, [description, ...references]);
}

function reference(instance: KosInstance): DataSet {
  return [
    text(T.referencedSopClassUid, 'UI', instance.sopClassUid),
    text(T.referencedSopInstanceUid, 'UI', instance.sopInstanceUid),
  ];
}

const STORAGE = '1.2.840.10008.5.1.4.1.1.';
const WAVEFORM = ['9.'];
/** Documents, presentation states, raw data, registrations, RT objects without pixels: PS3.3 §C.17.3 COMPOSITE. */
const COMPOSITE = [
  '11.',
  '66.',
  '67.',
  '68.',
  '78.',
  '79.',
  '88.',
  '104.',
  '131.',
  ...[3, 4, 5, 6, 7, 8, 9].map((n) => `481.${n}.`),
];

function valueType(sopClassUid: string): 'IMAGE' | 'WAVEFORM' | 'COMPOSITE' {
  const rest = sopClassUid.startsWith(STORAGE) ? sopClassUid.slice(STORAGE.length) : '';
  if (WAVEFORM.some((root) => `${rest}.`.startsWith(root))) return 'WAVEFORM';
  return COMPOSITE.some((root) => `${rest}.`.startsWith(root)) ? 'COMPOSITE' : 'IMAGE';
}

function optionalNumber(tag: number, value: number | undefined): DataSet {
  return value === undefined ? [] : [text(tag, 'IS', String(value))];
}
