/** C-MOVE at SERIES level, Study Root (DB0 §4.5.11.3, PS3.4 §C.4.2), over an open association. */
import type { AeTitle, SeriesInstanceUid, StudyInstanceUid } from '../domain.ts';
import { type Command, commandField, status } from './dimse/command.ts';
import type { Requestor, Response } from './dimse/requestor.ts';
import { type MoveOutcome, type MoveProgress, PacsError } from './pacs.ts';
import { writeDataSet } from './query/data-set.ts';
import { tags } from './query/tags.ts';
import { studyRootMove } from './uids.ts';

/** After C-CANCEL, the time the PACS gets to end the C-MOVE itself; then A-ABORT. */
const cancelGraceMs = 500;
/** Some sub-operations failed (PS3.4 table C.4-2): a hint like the counts, not an error. */
const subOperationsWarning = 0xb000;

export interface Move {
  readonly context: { readonly id: number; readonly explicit: boolean };
  readonly messageId: number;
  readonly destination: AeTitle;
  readonly study: StudyInstanceUid;
  readonly series: SeriesInstanceUid;
  /** Last C-STORE of this move, on the requestor's clock: a PACS that stores is not silent. */
  readonly lastActivity: () => number;
}

/**
 * @param ended called when the PACS says that the C-MOVE is over, whatever its status
 * @throws PacsError; when `signal` aborted, after C-CANCEL: the caller then aborts the association
 */
export async function moveSeries(
  requestor: Requestor,
  move: Move,
  ended: () => void,
  onProgress: ((progress: MoveProgress) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<MoveOutcome> {
  const { context, messageId, lastActivity } = move;
  const command = {
    field: commandField.moveRequest,
    affectedSopClass: studyRootMove,
    messageId,
    moveDestination: move.destination,
    priority: 0,
    hasDataSet: true,
  };
  let last: Command | undefined;
  let completed = 0;
  try {
    for await (const response of requestor.request(context.id, command, identifier(move), { signal, lastActivity })) {
      last = response.command;
      completed = last.completed ?? completed;
      if (last.status === status.pending) onProgress?.(progressOf(last, completed));
    }
  } catch (error) {
    if (signal?.aborted === true && (await cancelled(requestor, context.id, messageId))) ended();
    throw error;
  }
  ended();
  return outcomeOf(last, completed);
}

async function cancelled(requestor: Requestor, contextId: number, messageId: number): Promise<boolean> {
  requestor.cancel(contextId, messageId);
  const final: Response | undefined = await requestor.finalResponse(cancelGraceMs);
  return final !== undefined;
}

function identifier({ study, series, context }: Move): Buffer {
  return writeDataSet(
    [
      { tag: tags.queryRetrieveLevel, vr: 'CS', value: 'SERIES' },
      { tag: tags.studyInstanceUid, vr: 'UI', value: study },
      { tag: tags.seriesInstanceUid, vr: 'UI', value: series },
    ],
    context.explicit,
  );
}

/** Each response speaks for itself: a count it leaves out is not inherited, but for `completed`, which only grows. */
function progressOf(command: Command, completed: number): MoveProgress {
  return { completed, remaining: command.remaining, failed: command.failed ?? 0, warning: command.warning ?? 0 };
}

function outcomeOf(command: Command | undefined, completed: number): MoveOutcome {
  const code = command?.status;
  if (command === undefined || code === undefined) throw new PacsError('protocol', 'the C-MOVE ended without a status');
  const comment = command.errorComment ?? '';
  if (code !== status.success && code !== subOperationsWarning)
    throw new PacsError('failure', `C-MOVE ended with status 0x${code.toString(16)} ${comment}`.trim(), code);
  return { ...progressOf(command, completed), status: code, comment };
}
