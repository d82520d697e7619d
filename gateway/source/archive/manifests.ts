/** The archive as the retrieve side reads it: published KOS by PACS and study, decoded once and kept while unchanged (ci-sis §7.7). */
import type { SopInstanceUid, Uid } from '../../domain.ts';
import { decodeKos } from '../../manifest/decode.ts';
import type { Archive, PublishedKos } from './archive.ts';
import type { ArchivedManifest, ArchivedSeries, ManifestLookup } from './manifest-lookup.ts';

/** Decoded manifests kept at once: a KOS of 1 300 instances takes about 0.3 MB. */
const keptManifests = 64;

export function createManifestLookup(archive: Archive): ManifestLookup {
  const kept = new Map<SopInstanceUid, ArchivedManifest>();
  return {
    async find(pacs, study) {
      const published = await archive.published(study);
      if (!published || published.pacs !== pacs) return undefined;
      const known = kept.get(published.kosSopInstanceUid);
      if (known?.status === published.status) return known;
      const manifest = toManifest(published);
      kept.delete(published.kosSopInstanceUid);
      kept.set(published.kosSopInstanceUid, manifest);
      const [oldest] = kept.keys();
      if (kept.size > keptManifests && oldest !== undefined) kept.delete(oldest);
      return manifest;
    },
  };
}

function toManifest(published: PublishedKos): ArchivedManifest {
  const kos = decodeKos(published.kos);
  const series = kos.series.map((one): [Uid, ArchivedSeries] => [
    one.seriesInstanceUid,
    {
      seriesInstanceUid: one.seriesInstanceUid,
      modality: one.modality,
      instances: new Map(one.instances.map(({ sopInstanceUid, sopClassUid }) => [sopInstanceUid, sopClassUid])),
    },
  ]);
  return {
    studyInstanceUid: published.studyInstanceUid,
    kosSopInstanceUid: published.kosSopInstanceUid,
    status: published.status,
    pacs: published.pacs,
    series: new Map(series),
    structureId: published.structureId,
  };
}
