/**
 * Which lane an instance takes (architecture §3): forwarded as it is, or not at all. Pure. Conversion is asked of the PACS, by what
 * we accept in its C-STORE association; this gateway transcodes nothing yet, and never sends what was not accepted.
 */
import type { Uid } from '../domain.ts';
import type { AcceptedSyntax } from './accept.ts';
import { explicitVrLittleEndian, isWithoutPixels } from './transfer-syntaxes.ts';

export type Lane = 'fast' | 'unacceptable';

export function laneOf(
  instance: { readonly sopClassUid: string; readonly transferSyntaxUid: string },
  accepted: readonly AcceptedSyntax[],
): Lane {
  if (accepted.some(({ uid }) => uid === instance.transferSyntaxUid)) return 'fast';
  // objects without pixels have one form on the wire, whatever the caller wants for images (ci-sis §7.5 rule 4)
  return isWithoutPixels(instance.sopClassUid) && instance.transferSyntaxUid === explicitVrLittleEndian
    ? 'fast'
    : 'unacceptable';
}

/** What the store receiver offers the PACS, most wanted first; Explicit VR LE last for objects without pixels. Implicit VR never: the PACS converts (DB.SO.41). */
export function wantedFromPacs(accepted: readonly AcceptedSyntax[]): readonly Uid[] {
  return [...new Set([...accepted.map(({ uid }) => uid), explicitVrLittleEndian])];
}
