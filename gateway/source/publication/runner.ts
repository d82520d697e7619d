/**
 * Runs open jobs: strict order per study, several studies at once, waiting jobs when their time comes. Of several gateways on one
 * archive only the one on duty takes jobs; what another ended meanwhile is left as it is. Stopping lets the steps under way end; a
 * step cut by a crash runs again.
 */
import { setTimeout as sleepFor } from 'node:timers/promises';
import type { Job, JobQueue } from '../archive/jobs.ts';
import { ArchiveUnavailable, Overtaken } from '../archive/unavailable.ts';
import type { Journal } from '../../journal/events.ts';

export interface Runner {
  /** New work may be there. */
  wake(): void;
  /** Waits for the steps under way, at most `graceMs`, then aborts them. */
  stop(graceMs: number): Promise<void>;
}

interface RunnerOptions {
  readonly jobs: JobQueue;
  readonly step: (job: Job, signal: AbortSignal) => Promise<void>;
  readonly journal: Journal;
  readonly concurrency: number;
  readonly onDuty: () => boolean;
  readonly now: () => Date;
}

/** Longest sleep: a clock that jumps is noticed within it. */
const longestSleepMs = 30_000;
/** How long a job rests whose step the archive could not keep: without it, PACS and DMP would be asked again and again meanwhile. */
const archiveRestMs = 5_000;

export function startRunner({ jobs, step, journal, concurrency, onDuty, now }: RunnerOptions): Runner {
  const abort = new AbortController();
  const stopped = new AbortController();
  const running = new Map<number, Promise<void>>();
  const state = { wanted: true, stopping: false, wakeUp: (): void => undefined };

  const runStep = async (job: Job): Promise<void> => {
    try {
      await step(job, abort.signal);
    } catch (error) {
      if (abort.signal.aborted) return; // the step was cut by stop(): it runs again at the next start
      if (error instanceof Overtaken) {
        journal.record({ name: 'JobOvertaken', job: String(job.id), study: job.study, detail: error.message });
        return;
      }
      if (error instanceof ArchiveUnavailable) {
        await rest(archiveRestMs); // the archive's own watch tells of it; the job stands where it stood, or where the commit left it
        return;
      }
      // a defect of ours, or a full disk: say so and leave the job open, later
      journal.record({ name: 'InternalError', where: `publication job ${job.id}`, detail: String(error) });
      await postponeAfterDefect(job);
    } finally {
      running.delete(job.id);
      wake();
    }
  };

  const postponeAfterDefect = async (job: Job): Promise<void> => {
    const at = now();
    try {
      await jobs.postpone(job, {
        code: 'E008',
        detail: 'internal error, see the log',
        nextAt: new Date(at.getTime() + longestSleepMs).toISOString(),
        at: at.toISOString(),
      });
    } catch (error) {
      // built before it failed: it is tried again from there
      if (error instanceof Overtaken) return;
      journal.record({ name: 'InternalError', where: `publication job ${job.id}, postponing`, detail: String(error) });
    }
  };

  /** Ends early when the runner stops. */
  const rest = async (ms: number): Promise<void> => {
    try {
      await sleepFor(ms, undefined, { signal: stopped.signal });
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
    }
  };

  const startDue = async (): Promise<void> => {
    if (!onDuty()) return;
    const due = await jobs.due(now().toISOString(), concurrency * 2);
    for (const job of due) {
      if (running.size >= concurrency || !onDuty()) return;
      if (!running.has(job.id)) running.set(job.id, runStep(job));
    }
  };

  const sleep = async (): Promise<void> => {
    const nextAt = onDuty() ? await jobs.nextAt() : undefined;
    const until = nextAt === undefined ? longestSleepMs : Math.max(0, new Date(nextAt).getTime() - now().getTime());
    const busy = running.size > 0 ? longestSleepMs : until; // a step that ends wakes us
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(10, Math.min(longestSleepMs, busy)));
      state.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
      if (state.wanted) state.wakeUp();
    });
  };

  const loop = async (): Promise<void> => {
    while (!state.stopping) {
      state.wanted = false;
      try {
        await startDue();
        await sleep();
      } catch (error) {
        if (state.stopping) return;
        if (!(error instanceof ArchiveUnavailable))
          journal.record({ name: 'InternalError', where: 'publication runner', detail: String(error) });
        await rest(1_000);
      }
    }
  };

  function wake(): void {
    state.wanted = true;
    state.wakeUp();
  }

  const ended = loop();
  return {
    wake,
    async stop(graceMs) {
      state.stopping = true;
      stopped.abort();
      wake();
      const timer = setTimeout(() => abort.abort(), graceMs);
      await ended;
      await Promise.all(running.values());
      clearTimeout(timer);
    },
  };
}
