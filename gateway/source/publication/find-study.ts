/** Which PACS holds the study: the candidates of the RIS in order, until one answers positively (DB0 §4.5.3). */
import type { StudyInstanceUid } from '../../domain.ts';
import { type FoundStudy, type Pacs, PacsError } from '../../dicom/pacs.ts';

export type StudySearch =
  | { readonly kind: 'found'; readonly pacs: string; readonly study: FoundStudy }
  | { readonly kind: 'unknown' }
  /** At least one PACS could not be asked, and no other knows the study: wait (E003, DB.SO.14). */
  | { readonly kind: 'silent'; readonly detail: string };

export async function findStudy(
  candidates: readonly Pacs[],
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<StudySearch> {
  const silent: string[] = [];
  for (const pacs of candidates) {
    try {
      const found = await pacs.findStudy(study, signal);
      if (found) return { kind: 'found', pacs: pacs.name, study: found };
    } catch (error) {
      if (!(error instanceof PacsError)) throw error;
      silent.push(`${pacs.name}: ${error.message}`);
    }
  }
  return silent.length > 0 ? { kind: 'silent', detail: silent.join('; ') } : { kind: 'unknown' };
}
