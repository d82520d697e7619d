/**
 * Plans kept messages one at a time in the order they were taken in charge (ci-sis §2.1), those of other gateways and of former
 * lives too. Only the gateway on duty does; a former one still at it is overtaken at its commit.
 */
import type { Journal } from '../../journal/events.ts';
import type { Archive } from '../archive/archive.ts';
import { ArchiveUnavailable, Overtaken } from '../archive/unavailable.ts';
import { readReport } from '../report/read-report.ts';
import type { MessagePlanner } from './message-planner.ts';

export interface Desk {
  /** There may be a message. */
  wake(): void;
  /** Resolves when all it knows of is planned, or can't be now. */
  idle(): Promise<void>;
  /** After the message under way. */
  stop(): Promise<void>;
}

export interface DeskDependencies {
  readonly archive: Pick<Archive, 'unprocessed' | 'message'>;
  readonly plan: MessagePlanner;
  readonly journal: Journal;
  readonly onDuty: () => boolean;
  readonly maxDocumentBytes: number;
}

/** Ids asked for at once; bodies are read one by one. */
const batch = 100;

export function openDesk(deps: DeskDependencies): Desk {
  const { archive, journal } = deps;
  const state: { wanted: boolean; stopping: boolean; working: Promise<void> | undefined } = {
    wanted: false,
    stopping: false,
    working: undefined,
  };
  /** A defect of ours stops at a message: not tried again in this life, so that later versions of its report are not undone. */
  const failed = new Set<number>();

  const planOne = async (id: number): Promise<void> => {
    try {
      const entry = await archive.message(id);
      if (entry) await deps.plan(entry, readReport(entry.body, { maxDocumentBytes: deps.maxDocumentBytes }));
    } catch (error) {
      if (error instanceof ArchiveUnavailable) throw error;
      if (error instanceof Overtaken) return; // planned by another gateway meanwhile: nothing of ours was written
      failed.add(id);
      journal.record({ name: 'InternalError', where: `intake, message ${id}`, detail: String(error) });
    }
  };

  const drain = async (): Promise<void> => {
    let after = 0;
    for (;;) {
      const ids = await archive.unprocessed(after, batch);
      for (const id of ids) {
        if (state.stopping || !deps.onDuty()) return;
        if (!failed.has(id)) await planOne(id);
        after = id;
      }
      if (ids.length < batch) return;
    }
  };

  const work = async (): Promise<void> => {
    while (state.wanted && !state.stopping && deps.onDuty()) {
      state.wanted = false;
      try {
        await drain();
      } catch (error) {
        // the archive's own watch tells of it, and wakes us when it is back
        if (!(error instanceof ArchiveUnavailable))
          journal.record({ name: 'InternalError', where: 'intake', detail: String(error) });
      }
    }
    state.working = undefined;
  };

  return {
    wake() {
      if (state.stopping || !deps.onDuty()) return;
      state.wanted = true;
      state.working ??= work();
    },
    async idle() {
      await state.working;
    },
    async stop() {
      state.stopping = true;
      await state.working;
    },
  };
}
