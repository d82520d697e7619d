/** The KOS manifest as plain frozen data (ci-sis §4). Encoding is elsewhere; dates are DICOM DA/TM in the site's local time. */
import type {
  Code,
  Identifier,
  InsIdentity,
  Organization,
  SeriesInstanceUid,
  SopInstanceUid,
  StudyInstanceUid,
  Uid,
} from '../domain.ts';

export interface KosInstance {
  readonly sopClassUid: Uid;
  readonly sopInstanceUid: SopInstanceUid;
  readonly instanceNumber?: number;
  readonly numberOfFrames?: number;
}

export interface KosSeries {
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly modality: string;
  readonly description: string;
  readonly seriesNumber?: number;
  /** https://<wadoFqdn>[:port]/dicom-web-rs/studies/{study}/series/{series} */
  readonly retrieveUrl: string;
  readonly retrieveLocationUid: Uid;
  readonly instances: readonly KosInstance[];
}

export interface KosRequest {
  readonly accessionNumber: Identifier;
  readonly placerOrderNumber: Identifier;
}

export interface Kos {
  readonly sopInstanceUid: SopInstanceUid;
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly studyInstanceUid: StudyInstanceUid;
  readonly createdDate: string;
  readonly createdTime: string;
  /** +HHMM */
  readonly timezoneOffset: string;
  readonly studyDate: string;
  readonly studyTime: string;
  readonly studyDescription: string;
  readonly studyId: string;
  readonly patient: InsIdentity;
  readonly institution: Organization;
  readonly manufacturer: string;
  readonly requests: readonly KosRequest[];
  readonly acts: readonly Code[];
  readonly regions: readonly Code[];
  readonly series: readonly KosSeries[];
}
