/**
 * The checks of a WADO-RS request, in the order of the specification (ci-sis §7.7, DB0 §4.5.11). Pure: facts in, the first
 * objection out. Mutual TLS (step 1) is settled at the door; the PACS's part (steps 9 to 13) is the retrieve leg's.
 */
import type { ErrorCode } from '../../journal/error-codes.ts';
import type { ArchivedManifest } from '../archive/manifest-lookup.ts';

export interface Objection {
  readonly code: ErrorCode;
  readonly detail: string;
  /** When it is not the catalogue's. */
  readonly httpStatus?: number;
}

export interface CallerFacts {
  readonly peerListed: boolean;
  readonly peerName: string;
  /** Our own FQDN is on a verified list (DB.CS.164). */
  readonly ownListed: boolean;
}

/** Steps 2 and 3. */
export function objectionToCaller({ peerListed, peerName, ownListed }: CallerFacts): Objection | undefined {
  if (!ownListed)
    return {
      code: 'E1104',
      httpStatus: 503,
      detail: 'this DRIMbox is not on a verified whitelist: WADO-RS is off (DB.CS.164)',
    };
  return peerListed ? undefined : { code: 'E1102', detail: `${peerName} is not on the whitelist` };
}

/** Step 5, before the introspection: there must be one bearer token. */
export function bearerToken(header: string | undefined): string | Objection {
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header ?? '')?.[1];
  return token ?? { code: 'E1003', detail: 'no bearer token in Authorization' };
}

export interface ManifestFacts {
  readonly manifest: ArchivedManifest | undefined;
  /** KOS-SOPInstanceUID as sent; a missing one is a mismatch. */
  readonly kosHeader: string | undefined;
  readonly series: string;
}

/** Steps 6 to 8, and that the KOS lists the series. */
export function objectionToManifest({ manifest, kosHeader, series }: ManifestFacts): Objection | undefined {
  if (!manifest) return { code: 'E1001', detail: 'no KOS of this study in the archive' };
  if (manifest.status === 'unpublished') return { code: 'E1002', detail: 'the KOS was unpublished' };
  if (kosHeader?.trim() !== manifest.kosSopInstanceUid)
    return {
      code: 'E1103',
      detail: `KOS-SOPInstanceUID ${kosHeader ?? 'absent'}, the archive holds ${manifest.kosSopInstanceUid}`,
    };
  return [...manifest.series.keys()].some((uid) => uid === series)
    ? undefined
    : { code: 'E1002', detail: 'the KOS of this study does not list this series' };
}
