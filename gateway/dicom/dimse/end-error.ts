/** How an association that ended under a request looks to the caller (pacs.ts: `kind` decides E1004, E1005, E003/E1104). */
import type { AssociationEnd } from '../association/association-user.ts';
import { PacsError } from '../pacs.ts';

const kinds: Readonly<Record<AssociationEnd['kind'], PacsError['kind']>> = {
  lost: 'unreachable',
  silent: 'timeout',
  rejected: 'rejected',
  aborted: 'protocol',
  fault: 'protocol',
  // Released by the peer although it owed an answer.
  released: 'protocol',
  'given-up': 'timeout',
};

export function endError(end: AssociationEnd, message: string): PacsError {
  return new PacsError(kinds[end.kind], message);
}
