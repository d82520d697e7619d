/** What the retrieve side may read of the archive (ci-sis §7.7 steps 6–8). */
import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid, Uid } from '../../domain.ts';

export interface ArchivedSeries {
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly modality: string;
  /** Instances the KOS lists: a series is complete when all of these were sent. */
  readonly instances: ReadonlyMap<SopInstanceUid, Uid>;
}

export interface ArchivedManifest {
  readonly studyInstanceUid: StudyInstanceUid;
  readonly kosSopInstanceUid: SopInstanceUid;
  readonly status: 'published' | 'unpublished' | 'queued';
  /** PacsLink that holds the study. */
  readonly pacs: string;
  readonly series: ReadonlyMap<SeriesInstanceUid, ArchivedSeries>;
  /** Structure of the submission set, for audit 12.3. */
  readonly structureId: string;
}

export interface ManifestLookup {
  /** The manifest of this study on this PACS, or undefined (E1001). */
  find(pacs: string, study: StudyInstanceUid): Promise<ArchivedManifest | undefined>;
}
