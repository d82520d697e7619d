/** The KOS of one study: what the report says of the exam, what the PACS says of its images (DB.SO.18, ci-sis §4). */
import type { FoundInstance, FoundSeries, FoundStudy } from '../dicom/pacs.ts';
import type { Code, InsIdentity, Organization, StudyInstanceUid, Uid } from '../domain.ts';
import type { Kos, KosInstance, KosRequest, KosSeries } from './kos.ts';
import { localTime } from './local-time.ts';

/** What the manifest needs of a report; a report as received fits. */
export interface ManifestReport {
  readonly patient: InsIdentity;
  readonly orders: readonly KosRequest[];
}

export interface ManifestStudy {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly modalities: readonly Code[];
  readonly regions: readonly Code[];
  readonly acts: readonly Code[];
}

/** What the manifest needs of a PACS; its config fits once `retrieveLocationUid` is a Uid. */
export interface ManifestPacs {
  readonly wadoFqdn: string;
  readonly publicPort: number;
  readonly retrieveLocationUid: Uid;
  readonly excludedSopInstanceRoots: readonly string[];
}

export interface KosInput {
  readonly report: ManifestReport;
  readonly study: ManifestStudy;
  readonly found: FoundStudy;
  /** Requests of the reports published before for this study, kept in every later KOS (DB0 §4.5.4). */
  readonly earlierRequests: readonly KosRequest[];
  readonly pacs: ManifestPacs;
  readonly institution: Organization;
  readonly newUid: () => Uid;
  readonly now: Date;
  readonly timeZone: string;
  readonly manufacturer: string;
}

/** The study can't be described by a KOS; `kind` says why. */
export class KosImpossible extends Error {
  readonly kind: 'noInstance' | 'noSopClass' | 'otherStudy';
  constructor(kind: KosImpossible['kind'], message: string) {
    super(message);
    this.name = 'KosImpossible';
    this.kind = kind;
  }
}

/**
 * Series and instances are in a fixed order, so that two KOS of the same study differ only by their UIDs and times.
 * @throws KosImpossible when no instance is left, or the PACS gave one without its SOP class.
 */
export function buildKos(input: KosInput): Kos {
  const { study, found, pacs } = input;
  if (found.studyInstanceUid !== study.studyInstanceUid)
    throw new KosImpossible(
      'otherStudy',
      `the PACS described ${found.studyInstanceUid}, not ${study.studyInstanceUid}`,
    );
  const instances = sharedInstances(found, pacs.excludedSopInstanceRoots);
  if (instances.length === 0)
    throw new KosImpossible('noInstance', `study ${study.studyInstanceUid} has no instance to share`);
  const local = localTime(input.now, input.timeZone);
  return {
    sopInstanceUid: input.newUid(),
    seriesInstanceUid: input.newUid(),
    studyInstanceUid: study.studyInstanceUid,
    createdDate: local.date,
    createdTime: local.time,
    timezoneOffset: local.offset,
    studyDate: found.studyDate,
    studyTime: found.studyTime,
    studyDescription: found.studyDescription,
    studyId: found.studyId,
    patient: input.report.patient,
    institution: input.institution,
    manufacturer: input.manufacturer,
    requests: unionOfRequests(input.earlierRequests, input.report.orders),
    acts: study.acts,
    regions: study.regions,
    series: buildSeries(found.series, instances, study.studyInstanceUid, pacs),
  };
}

/** Instances a KOS may list: those under an excluded root stay inside (DB.SO.199). */
export function sharedInstances(found: FoundStudy, excludedRoots: readonly string[]): readonly FoundInstance[] {
  return found.instances.filter(
    ({ sopInstanceUid }) => !excludedRoots.some((root) => `${sopInstanceUid}.`.startsWith(`${root}.`)),
  );
}

/** Earlier ones first, each pair of numbers once (DB0 §4.5.4). */
export function unionOfRequests(earlier: readonly KosRequest[], added: readonly KosRequest[]): readonly KosRequest[] {
  const seen = new Set<string>();
  return [...earlier, ...added].filter(({ accessionNumber: an, placerOrderNumber: opn }) => {
    const key = JSON.stringify([an.value, an.authority, opn.value, opn.authority]);
    return !seen.has(key) && seen.add(key);
  });
}

/** https://<wadoFqdn>[:port]/dicom-web-rs/studies/<study>/series/<series> (ci-sis §4.6). */
export function retrieveUrl(
  pacs: Pick<ManifestPacs, 'wadoFqdn' | 'publicPort'>,
  study: StudyInstanceUid,
  series: Uid,
): string {
  const port = pacs.publicPort === 443 ? '' : `:${pacs.publicPort}`;
  return `https://${pacs.wadoFqdn}${port}/dicom-web-rs/studies/${study}/series/${series}`;
}

function buildSeries(
  series: readonly FoundSeries[],
  instances: readonly FoundInstance[],
  study: StudyInstanceUid,
  pacs: ManifestPacs,
): readonly KosSeries[] {
  const bySeries = Map.groupBy(instances, ({ seriesInstanceUid }) => seriesInstanceUid);
  const described = new Map(series.map((one) => [one.seriesInstanceUid, one] as const));
  return [...bySeries]
    .map(([uid, members]) => {
      const about = described.get(uid);
      const number = about?.seriesNumber;
      return {
        seriesInstanceUid: uid,
        modality: about?.modality ?? '',
        description: about?.description ?? '',
        ...(number === undefined ? {} : { seriesNumber: number }),
        retrieveUrl: retrieveUrl(pacs, study, uid),
        retrieveLocationUid: pacs.retrieveLocationUid,
        instances: members.map(buildInstance).toSorted(byNumber(({ instanceNumber }) => instanceNumber, sopUid)),
      };
    })
    .toSorted(
      byNumber(
        ({ seriesNumber }) => seriesNumber,
        ({ seriesInstanceUid }) => seriesInstanceUid,
      ),
    );
}

function buildInstance(instance: FoundInstance): KosInstance {
  const { sopClassUid, sopInstanceUid, instanceNumber, numberOfFrames } = instance;
  if (sopClassUid === undefined)
    throw new KosImpossible('noSopClass', `the PACS gave no SOP Class UID for instance ${sopInstanceUid}`);
  return {
    sopClassUid,
    sopInstanceUid,
    ...(instanceNumber === undefined ? {} : { instanceNumber }),
    ...(numberOfFrames === undefined ? {} : { numberOfFrames }),
  };
}

function sopUid(instance: KosInstance): string {
  return instance.sopInstanceUid;
}

/** By number, those without one last, equal ones by UID. */
function byNumber<T>(number: (item: T) => number | undefined, uid: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => {
    const difference = (number(a) ?? Number.MAX_SAFE_INTEGER) - (number(b) ?? Number.MAX_SAFE_INTEGER);
    if (difference !== 0) return difference;
    return uid(a) < uid(b) ? -1 : 1;
  };
}
