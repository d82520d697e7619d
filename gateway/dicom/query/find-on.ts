/** C-FIND over an open association (PS3.4 §C.4.1), and the relational-query negotiation (PS3.4 §C.5.1.1). */
import { commandField, status } from '../dimse/command.ts';
import type { Requestor } from '../dimse/requestor.ts';
import { PacsError } from '../pacs.ts';
import type { ExtendedNegotiation } from '../pdu/pdu.ts';
import { studyRootFind } from '../uids.ts';
import { CharacterSetError } from './character-sets.ts';
import { DataSetError, writeDataSet } from './data-set.ts';
import type { Find } from './find-study.ts';
import { type Identifier, readIdentifier } from './identifier.ts';

/** More matches than any study holds: a PACS that ignores our keys is stopped here. */
const maxMatches = 200_000;

/** Byte 1: relational queries. The other bytes (date-time, fuzzy names, time zone) are not asked for. */
export const relationalProposal: ExtendedNegotiation = { sopClassUid: studyRootFind, information: Buffer.from([1]) };

export function relationalIsAgreed(requestor: Requestor): boolean {
  return requestor.extendedAnswer(studyRootFind)?.[0] === 1;
}

export function findOn(
  requestor: Requestor,
  context: { readonly id: number; readonly explicit: boolean },
  signal: AbortSignal | undefined,
): Find {
  return async (keys) => {
    const command = {
      field: commandField.findRequest,
      affectedSopClass: studyRootFind,
      messageId: requestor.newMessageId(),
      priority: 0,
      hasDataSet: true,
    };
    const matches: Identifier[] = [];
    const identifier = writeDataSet(keys, context.explicit);
    for await (const response of requestor.request(context.id, command, identifier, { signal })) {
      if (response.data !== undefined) matches.push(read(response.data, context.explicit));
      if (matches.length > maxMatches) throw new PacsError('protocol', `C-FIND gave more than ${maxMatches} matches`);
      refuseFailure(response.command.status, response.command.errorComment);
    }
    return matches;
  };
}

function read(data: Buffer, explicit: boolean): Identifier {
  try {
    return readIdentifier(data, explicit);
  } catch (error) {
    if (error instanceof DataSetError || error instanceof CharacterSetError)
      throw new PacsError('protocol', `a C-FIND response cannot be read: ${error.message}`, undefined, {
        cause: error,
      });
    throw error;
  }
}

function refuseFailure(code: number | undefined, comment: string | undefined): void {
  if (code === status.success || code === status.pending || code === status.pendingWithWarning) return;
  if (code === undefined) throw new PacsError('protocol', 'a C-FIND response has no status');
  throw new PacsError('failure', `C-FIND ended with status 0x${code.toString(16)} ${comment ?? ''}`.trim(), code);
}
