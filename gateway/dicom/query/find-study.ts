/**
 * A whole study by C-FIND: the study, its series, its instances. Instances come by one relational query when the PACS agreed
 * to it (PS3.4 §C.5.1.1), and per series otherwise; a series that a relational answer left out is asked for by itself.
 */
import type { SeriesInstanceUid, StudyInstanceUid, Uid } from '../../domain.ts';
import { type FoundInstance, type FoundSeries, type FoundStudy, PacsError } from '../pacs.ts';
import type { Key } from './data-set.ts';
import type { Identifier } from './identifier.ts';
import { imageKeys, seriesKeys, studyKeys } from './keys.ts';
import { onlySopClass } from './sop-class-by-modality.ts';
import { tags } from './tags.ts';

/** Sends one C-FIND and gives the matches. @throws PacsError */
export type Find = (keys: readonly Key[]) => Promise<readonly Identifier[]>;

/** @returns undefined when the PACS knows nothing of the study. @throws PacsError */
export async function findStudy(
  find: Find,
  study: StudyInstanceUid,
  relational: boolean,
): Promise<FoundStudy | undefined> {
  const match = oneStudy(await find(studyKeys(study)), study);
  if (match === undefined) return undefined;
  const series = seriesOf(await find(seriesKeys(study)));
  const found = new Map<string, FoundInstance>();
  // A PACS may agree to relational queries and then refuse one: the per-series queries below then do the work.
  const related = relational ? await find(imageKeys(study)).catch(ignoreFailureStatus) : [];
  collect(found, related, series, undefined);
  let query: FoundStudy['query'] = relational ? 'relational' : 'hierarchical';
  for (const { seriesInstanceUid } of series) {
    if ([...found.values()].some((instance) => instance.seriesInstanceUid === seriesInstanceUid)) continue;
    const before = found.size;
    collect(found, await find(imageKeys(study, seriesInstanceUid)), series, seriesInstanceUid);
    if (found.size > before) query = 'hierarchical';
  }
  const instances = await withSopClasses(find, study, series, [...found.values()], match.uids(tags.sopClassesInStudy));
  return { ...describe(match, study), series, instances, query };
}

function ignoreFailureStatus(error: unknown): readonly Identifier[] {
  if (error instanceof PacsError && error.kind === 'failure') return [];
  throw error;
}

/** A PACS that ignores the key must not give us another study. @throws PacsError when two patients have this study */
function oneStudy(matches: readonly Identifier[], study: StudyInstanceUid): Identifier | undefined {
  const own = matches.filter((match) => match.uid(tags.studyInstanceUid) === study);
  const patients = new Set(own.map((match) => match.text(tags.patientId)));
  if (patients.size > 1)
    throw new PacsError('protocol', `the PACS gives study ${study} to ${patients.size} patients: correct it there`);
  return own[0];
}

function seriesOf(matches: readonly Identifier[]): FoundSeries[] {
  const series = new Map<string, FoundSeries>();
  for (const match of matches) {
    const uid = match.uid(tags.seriesInstanceUid);
    if (uid === undefined) throw new PacsError('protocol', 'a series came without a valid Series Instance UID');
    series.set(uid, {
      seriesInstanceUid: uid,
      modality: match.text(tags.modality),
      description: match.text(tags.seriesDescription),
      seriesNumber: match.integer(tags.seriesNumber),
    });
  }
  return [...series.values()];
}

/** @param asked the series of a hierarchical query; its answers need not repeat it */
function collect(
  found: Map<string, FoundInstance>,
  matches: readonly Identifier[],
  series: readonly FoundSeries[],
  asked: SeriesInstanceUid | undefined,
): void {
  for (const match of matches) {
    const seriesInstanceUid = match.uid(tags.seriesInstanceUid) ?? asked;
    const sopInstanceUid = match.uid(tags.sopInstanceUid);
    if (sopInstanceUid === undefined)
      throw new PacsError('protocol', 'an instance came without a valid SOP Instance UID');
    // Not of this study, or not placeable: left to the query of its own series.
    if (seriesInstanceUid === undefined || !series.some((one) => one.seriesInstanceUid === seriesInstanceUid)) continue;
    if (asked !== undefined && seriesInstanceUid !== asked) continue;
    found.set(sopInstanceUid, {
      seriesInstanceUid,
      sopInstanceUid,
      sopClassUid: match.uid(tags.sopClassUid),
      instanceNumber: match.integer(tags.instanceNumber),
      numberOfFrames: match.integer(tags.numberOfFrames),
    });
  }
}

/**
 * SOP classes that the PACS left empty at IMAGE level (Orthanc with `StorageAccessOnFind` off): the only class of the study
 * that can occur in the series, or else the class under which the instance alone is found. A PACS that ignores that key
 * finds it under several: then it stays unknown.
 */
async function withSopClasses(
  find: Find,
  study: StudyInstanceUid,
  series: readonly FoundSeries[],
  found: readonly FoundInstance[],
  classes: readonly Uid[],
): Promise<FoundInstance[]> {
  const instances = found.map((instance) => {
    const modality = series.find((one) => one.seriesInstanceUid === instance.seriesInstanceUid)?.modality ?? '';
    return { ...instance, sopClassUid: instance.sopClassUid ?? onlySopClass(modality, classes) };
  });
  const unknown = instances.filter((instance) => instance.sopClassUid === undefined);
  const candidates = new Map<string, Uid[]>();
  for (const seriesUid of new Set(unknown.map((instance) => instance.seriesInstanceUid)))
    for (const sopClass of classes)
      for (const match of await find(imageKeys(study, seriesUid, sopClass)))
        note(candidates, match.uid(tags.sopInstanceUid), sopClass);
  return instances.map((instance) => {
    const [sopClass, another] = candidates.get(instance.sopInstanceUid) ?? [];
    const certain = another === undefined ? sopClass : undefined;
    return { ...instance, sopClassUid: instance.sopClassUid ?? certain };
  });
}

function note(candidates: Map<string, Uid[]>, instance: Uid | undefined, sopClass: Uid): void {
  if (instance !== undefined) candidates.set(instance, [...(candidates.get(instance) ?? []), sopClass]);
}

function describe(match: Identifier, study: StudyInstanceUid): Omit<FoundStudy, 'series' | 'instances' | 'query'> {
  return {
    studyInstanceUid: study,
    studyDate: match.text(tags.studyDate),
    studyTime: match.text(tags.studyTime),
    studyDescription: match.text(tags.studyDescription),
    studyId: match.text(tags.studyId),
    patientId: match.text(tags.patientId),
    issuerOfPatientId: match.text(tags.issuerOfPatientId),
    otherPatientIds: match.items(tags.otherPatientIds).map((item) => ({
      id: item.text(tags.patientId),
      issuer: item.text(tags.issuerOfPatientId),
      issuerOid: issuerOid(item),
    })),
    patientBirthDate: match.text(tags.patientBirthDate),
  };
}

/** IssuerOfPatientIDQualifiersSequence > Universal Entity ID, when it is an OID (PS3.3 §10.14). */
function issuerOid(item: Identifier): string {
  const qualifiers = item.items(tags.issuerOfPatientIdQualifiers)[0];
  return qualifiers?.text(tags.universalEntityIdType) === 'ISO' ? qualifiers.text(tags.universalEntityId) : '';
}
