/** The archive can't be used now, through no fault of what was asked: whoever asked may ask again. */
import type { ArchiveReason } from './reasons.ts';

export type { ArchiveReason };

export class ArchiveUnavailable extends Error {
  readonly reason: ArchiveReason;
  /** `unknown`: the connection was lost while the commit was under way: it may have happened. */
  readonly outcome: 'nothing written' | 'unknown';
  constructor(
    reason: ArchiveReason,
    message: string,
    options: { readonly outcome?: 'unknown'; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ArchiveUnavailable';
    this.reason = reason;
    this.outcome = options.outcome ?? 'nothing written';
  }
}

/** A statement that had to find its row in a certain state did not: someone else was first. Nothing of its transaction was written. */
export class Overtaken extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'Overtaken';
  }
}

export type ArchiveHealth =
  | { readonly up: true; readonly detail: string; readonly since: Date }
  | { readonly up: false; readonly reason: ArchiveReason; readonly detail: string; readonly since: Date };
