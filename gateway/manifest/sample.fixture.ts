/** Manifests for the tests of this room: synthetic, deterministic, in as many shapes as a PACS makes them. */
import type { FoundStudy } from '../dicom/pacs.ts';
import { type Code, type InsIdentity, type Uid, parseUid } from '../domain.ts';
import { type KosInput, buildKos } from './build.ts';
import type { Kos } from './kos.ts';

export function uid(text: string): Uid {
  const parsed = parseUid(text);
  if (parsed === undefined) throw new Error(`${text} is not a UID`);
  return parsed;
}

export const samplePatient: InsIdentity = {
  matricule: '285049940301240',
  oid: '1.2.250.1.213.1.4.10',
  birthFamily: 'EXEMPLE',
  firstBirthGiven: 'MARIE',
  birthGivenList: 'MARIE ANNE LOUISE',
  sex: 'F',
  birthDate: '19850412',
  birthPlace: '99403',
};

export const sampleAct: Code = { code: '24725-4', system: '2.16.840.1.113883.6.1', label: 'TDM crâne' };
export const sampleRegion: Code = { code: '774007', system: '2.16.840.1.113883.6.96', label: 'tête et/ou cou' };

/** @param sizes instances of each series; series and instances come in an order that the KOS must not keep. */
export function foundStudy(sizes: readonly number[], over: Partial<FoundStudy> = {}): FoundStudy {
  const series = sizes.map((_, index) => ({
    seriesInstanceUid: uid(`2.25.10.${index + 1}`),
    modality: index === 0 ? 'CT' : 'SR',
    description: `Série n° ${index + 1} : coupes`,
    seriesNumber: index + 1,
  }));
  return {
    studyInstanceUid: uid('2.25.1001'),
    studyDate: '20260310',
    studyTime: '090000.5',
    studyDescription: 'Scanner cérébral',
    studyId: 'S1',
    patientId: 'IPP0001',
    issuerOfPatientId: '',
    otherPatientIds: [],
    patientBirthDate: '19850412',
    series: series.toReversed(),
    instances: series
      .flatMap(({ seriesInstanceUid, modality, seriesNumber }, index) =>
        Array.from({ length: sizes[index] ?? 0 }, (_, at) => ({
          seriesInstanceUid,
          sopInstanceUid: uid(`2.25.20.${seriesNumber}.${at + 1}`),
          sopClassUid: uid(modality === 'CT' ? '1.2.840.10008.5.1.4.1.1.2' : '1.2.840.10008.5.1.4.1.1.88.22'),
          instanceNumber: at + 1,
          numberOfFrames: undefined,
        })),
      )
      .toReversed(),
    query: 'relational',
    ...over,
  };
}

export function kosInput(over: Partial<KosInput> = {}): KosInput {
  let made = 0;
  return {
    report: {
      patient: samplePatient,
      orders: [
        {
          accessionNumber: { value: 'ACN1001', authority: '1.2.250.1.213.4.5.2.5' },
          placerOrderNumber: { value: 'OPN1001', authority: '1.2.250.1.213.4.5.2.6' },
        },
      ],
    },
    study: {
      studyInstanceUid: uid('2.25.1001'),
      modalities: [{ code: 'CT', system: '1.2.840.10008.2.16.4', label: 'Tomodensitométrie' }],
      regions: [sampleRegion],
      acts: [sampleAct],
    },
    found: foundStudy([3, 1]),
    earlierRequests: [],
    pacs: {
      wadoFqdn: 'db1.999.test.mesimagesmedicales.fr',
      publicPort: 443,
      retrieveLocationUid: uid('2.25.7'),
      excludedSopInstanceRoots: [],
    },
    institution: { id: '1999999999', name: 'Cabinet d’essai de la Côte' },
    newUid: () => uid(`2.25.30.${(made += 1)}`),
    now: new Date(Date.UTC(2026, 6, 1, 22, 30, 5)),
    timeZone: 'Europe/Paris',
    manufacturer: 'drimbox',
    ...over,
  };
}

export function sampleKos(over: Partial<KosInput> = {}): Kos {
  return buildKos(kosInput(over));
}
