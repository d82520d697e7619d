/** A WADO-RS request that gets no image: its code decides HTTP status and label; `detail` is for the journal alone (ci-sis §15). */
import { type ErrorCode, errorCatalogue } from '../../journal/error-codes.ts';
import { PacsError } from '../../dicom/pacs.ts';
import { CallerGone } from '../../wado/multipart-writer.ts';
import { ArchiveUnavailable } from '../archive/unavailable.ts';

export class RetrieveRefusal extends Error {
  readonly code: ErrorCode;
  readonly httpStatus: number;
  constructor(code: ErrorCode, detail: string, httpStatus?: number) {
    super(detail);
    this.name = 'RetrieveRefusal';
    this.code = code;
    const entry = errorCatalogue[code];
    this.httpStatus = httpStatus ?? ('httpStatus' in entry ? entry.httpStatus : 500);
  }
}

/** What went wrong in the retrieve leg, in the words of the catalogue (ci-sis §7.7 steps 9–13). */
export function toRefusal(error: unknown): RetrieveRefusal {
  if (error instanceof RetrieveRefusal) return error;
  // no code of the catalogue says it: 503, so that the caller knows to come back (RFC 9110 §15.6.4)
  if (error instanceof ArchiveUnavailable) return new RetrieveRefusal('E1104', error.message, 503);
  if (error instanceof CallerGone) return new RetrieveRefusal('E1104', error.message, 499);
  if (error instanceof PacsError)
    return new RetrieveRefusal(error.kind === 'timeout' ? 'E1005' : 'E1004', error.message);
  return new RetrieveRefusal('E1104', error instanceof Error ? error.message : String(error));
}
