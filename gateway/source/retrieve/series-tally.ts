/** Which instances of a series were sent: it is complete when all those of the KOS were, whatever the C-MOVE says (gateway-anchors fact 8). */
import type { SopInstanceUid, Uid } from '../../domain.ts';

export interface SeriesTally {
  /** Undefined: every instance that comes is wanted and none can be missed (the reference exam has no KOS). */
  readonly expected: number | undefined;
  readonly sent: number;
  readonly bytes: number;
  readonly transferSyntaxes: Readonly<Record<string, number>>;
  /** Came, but the KOS does not list them: not sent. */
  readonly unlisted: number;
  /** Takes the instance for sending; false when it is unlisted or was taken already. */
  claim(uid: SopInstanceUid): boolean;
  done(transferSyntaxUid: string, bytes: number): void;
  complete(): boolean;
}

export function createTally(expected: ReadonlyMap<SopInstanceUid, Uid> | undefined): SeriesTally {
  const taken = new Set<SopInstanceUid>();
  const counts = { sent: 0, bytes: 0, unlisted: 0 };
  const transferSyntaxes: Record<string, number> = {};
  return {
    get expected() {
      return expected?.size;
    },
    get sent() {
      return counts.sent;
    },
    get bytes() {
      return counts.bytes;
    },
    get unlisted() {
      return counts.unlisted;
    },
    transferSyntaxes,
    claim(uid) {
      if (expected && !expected.has(uid)) {
        counts.unlisted += 1;
        return false;
      }
      if (taken.has(uid)) return false;
      taken.add(uid);
      return true;
    },
    done(transferSyntaxUid, bytes) {
      counts.sent += 1;
      counts.bytes += bytes;
      transferSyntaxes[transferSyntaxUid] = (transferSyntaxes[transferSyntaxUid] ?? 0) + 1;
    },
    complete: () => (expected ? counts.sent === expected.size : counts.sent > 0),
  };
}
