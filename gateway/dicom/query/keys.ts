/**
 * Identifiers of the queries (ci-sis §1.6). Zero-length UIDs ask for all: DB0 §4.5.3 writes `*`, which means the same
 * (PS3.4 §C.2.2.2.3) but is not a UI value, so strict PACS refuse it.
 */
import type { SeriesInstanceUid, StudyInstanceUid, Uid } from '../../domain.ts';
import type { Key } from './data-set.ts';
import { tags } from './tags.ts';

function base(level: 'STUDY' | 'SERIES' | 'IMAGE', study: StudyInstanceUid): Key[] {
  return [
    { tag: tags.specificCharacterSet, vr: 'CS', value: 'ISO_IR 192' },
    { tag: tags.queryRetrieveLevel, vr: 'CS', value: level },
    { tag: tags.studyInstanceUid, vr: 'UI', value: study },
  ];
}

export function studyKeys(study: StudyInstanceUid): Key[] {
  return [
    ...base('STUDY', study),
    { tag: tags.studyDate, vr: 'DA' },
    { tag: tags.studyTime, vr: 'TM' },
    { tag: tags.studyDescription, vr: 'LO' },
    { tag: tags.studyId, vr: 'SH' },
    { tag: tags.sopClassesInStudy, vr: 'UI' },
    { tag: tags.patientId, vr: 'LO' },
    { tag: tags.issuerOfPatientId, vr: 'LO' },
    { tag: tags.otherPatientIds, vr: 'SQ' },
    { tag: tags.patientBirthDate, vr: 'DA' },
  ];
}

export function seriesKeys(study: StudyInstanceUid): Key[] {
  return [
    ...base('SERIES', study),
    { tag: tags.seriesInstanceUid, vr: 'UI' },
    { tag: tags.modality, vr: 'CS' },
    { tag: tags.seriesNumber, vr: 'IS' },
    { tag: tags.seriesDescription, vr: 'LO' },
  ];
}

/** @param series absent: relational, all series at once; @param sopClass matched, when given */
export function imageKeys(study: StudyInstanceUid, series?: SeriesInstanceUid, sopClass?: Uid): Key[] {
  return [
    ...base('IMAGE', study),
    { tag: tags.seriesInstanceUid, vr: 'UI', ...(series === undefined ? {} : { value: series }) },
    { tag: tags.sopInstanceUid, vr: 'UI' },
    { tag: tags.sopClassUid, vr: 'UI', ...(sopClass === undefined ? {} : { value: sopClass }) },
    { tag: tags.instanceNumber, vr: 'IS' },
    { tag: tags.numberOfFrames, vr: 'IS' },
  ];
}
