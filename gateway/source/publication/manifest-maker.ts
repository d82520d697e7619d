/** What the saga needs of the manifest room, narrowed to one site: the one place where its functions meet configuration. */
import type { GatewayConfig, PacsConfig } from '../../../common/contract/gateway-config.ts';
import { parseUid, type Organization, type Uid } from '../../domain.ts';
import type { FoundStudy } from '../../dicom/pacs.ts';
import type { KosEntry } from '../../dmp/submission.ts';
import { buildKos } from '../../manifest/build.ts';
import { compareKos } from '../../manifest/compare.ts';
import { decodeKos } from '../../manifest/decode.ts';
import { encodeKos } from '../../manifest/encode.ts';
import type { Kos, KosRequest } from '../../manifest/kos.ts';
import { uidMaker } from '../../manifest/uids.ts';
import { kosEntry } from '../../manifest/xds-entry.ts';
import type { ReportReceived, ReportedStudy } from '../report/report.ts';

export interface ManifestMaker {
  newUid(): Uid;
  /** @throws KosImpossible when the study can't be described. */
  build(input: {
    readonly report: ReportReceived;
    readonly study: ReportedStudy;
    readonly found: FoundStudy;
    readonly pacs: PacsConfig;
    readonly earlierRequests: readonly KosRequest[];
  }): Kos;
  /** `notes`: what could not be written as given, one sentence each, naming the attribute. */
  encode(kos: Kos): { readonly bytes: Uint8Array; readonly notes: readonly string[] };
  /** What differs, in words, against what is archived (ci-sis §4.9); empty when equal. */
  differences(archived: Uint8Array, kos: Uint8Array): readonly string[];
  entry(input: { readonly report: ReportReceived; readonly study: ReportedStudy; readonly kos: Kos }): KosEntry;
}

/** @throws Error when a UID of the configuration breaks PS3.5 §9.1. */
export function createManifestMaker(site: GatewayConfig['site'], manufacturer: string, now: () => Date): ManifestMaker {
  const newUid = uidMaker(site.uidRoot);
  return {
    newUid,
    build: ({ report, study, found, pacs, earlierRequests }) =>
      buildKos({
        report,
        study,
        found,
        earlierRequests,
        pacs: { ...pacs, retrieveLocationUid: configuredUid(pacs.retrieveLocationUid) },
        institution: institutionOf(report),
        newUid,
        now: now(),
        timeZone: site.timeZone,
        manufacturer,
      }),
    encode: encodeKos,
    differences: (archived, kos) =>
      compareKos(decodeKos(Buffer.from(archived)), decodeKos(Buffer.from(kos))).map(({ what }) => what),
    entry: ({ report, study, kos }) => kosEntry({ report, study, kos, timeZone: site.timeZone }),
  };
}

/** InstitutionName and entry author: the author's organisation (ci-sis §16 row 27). */
function institutionOf(report: ReportReceived): Organization {
  return report.author.organization;
}

export function configuredUid(text: string): Uid {
  const uid = parseUid(text);
  if (uid === undefined) throw new Error(`configuration: '${text}' is not a UID (PS3.5 §9.1)`);
  return uid;
}
