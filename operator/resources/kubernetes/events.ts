/** Events of the API (events.k8s.io/v1) about our objects, few and aggregated. */
import { randomBytes } from 'node:crypto';
import type { KubeClient } from './client.ts';
import { eventDocument, eventNamespace, type EventSubject } from './event-document.ts';
import { createEventLimits } from './event-limits.ts';
import { KubeError } from './kube-error.ts';
import { microTime } from './micro-time.ts';
import { Event, keyOf, type KubeObject, pathOf } from './resource-kind.ts';

/** reason and action are CamelCase: why, and what was done or tried. A note beyond 1 kB is cut, as the API demands. */
export type EventNote = EventSubject;

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** Pod name: `reportingInstance`. */
  readonly instance: string;
  readonly onError?: (error: unknown) => void;
  readonly onRecorded?: (outcome: 'created' | 'counted' | 'dropped' | 'failed') => void;
  readonly now?: () => Date;
}

export interface EventRecorder {
  /** Returns at once and never throws: what cannot be written is told to onError and lost. */
  record(note: EventNote): void;
  /** What is under way, ended or not. */
  settled(): Promise<void>;
  /** Writes the series still open, then stops. */
  stop(): Promise<void>;
}

/** Without a repetition for this long a series is over; while it lasts its count is written this often (client-go). */
const seriesMs = 360_000;
/** Between looks at the open series. */
const sweepMs = 30_000;
/** Writes that may wait; beyond it events are dropped, as what they tell is in status and metrics too. */
const mostWaiting = 1_000;

interface Series {
  /** Known once written. */
  name: string;
  readonly namespace: string;
  count: number;
  lastAt: Date;
  writtenCount: number;
  writtenAt: number;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, instance, onRecorded } = options;
  const now = options.now ?? (() => new Date());
  const nowMs = (): number => now().getTime();
  const limits = createEventLimits(nowMs);
  const open = new Map<string, Series>();
  let chain: Promise<void> = Promise.resolve();
  let waiting = 0;
  let stopped = false;

  const after = async (former: Promise<void>, write: () => Promise<void>): Promise<void> => {
    await former;
    try {
      await write();
    } catch (error) {
      onRecorded?.('failed');
      options.onError?.(error);
    } finally {
      waiting -= 1;
    }
  };
  /** One write at a time, in order: a count must not overtake the event it counts. */
  const enqueue = (write: () => Promise<void>): boolean => {
    if (waiting >= mostWaiting) {
      onRecorded?.('dropped');
      return false;
    }
    waiting += 1;
    chain = after(chain, write);
    return true;
  };
  const create = async (note: EventNote, at: Date): Promise<KubeObject> => {
    const body = eventDocument(note, instance, randomBytes(8).toString('hex'), at);
    const path = pathOf(Event, eventNamespace(note.regarding));
    return await client.request<KubeObject>({ method: 'POST', path, body });
  };
  const begin = (id: string, note: EventNote): void => {
    const at = now();
    if (!limits.allows(`${note.regarding.kind} ${keyOf(note.regarding)}`)) {
      onRecorded?.('dropped');
      return;
    }
    const namespace = eventNamespace(note.regarding);
    const series: Series = { name: '', namespace, count: 1, lastAt: at, writtenCount: 1, writtenAt: nowMs() };
    const taken = enqueue(async () => {
      try {
        series.name = (await create(note, at)).metadata.name;
      } catch (error) {
        // Nothing to count on: the next occurrence tries again.
        open.delete(id);
        throw error;
      }
      onRecorded?.('created');
    });
    if (taken) open.set(id, series);
  };
  const writeCount = (id: string, series: Series): void => {
    series.writtenAt = nowMs();
    enqueue(async () => {
      const { count, lastAt } = series;
      if (count === series.writtenCount || series.name === '') return;
      try {
        await client.request({
          method: 'PATCH',
          path: pathOf(Event, series.namespace, series.name),
          contentType: 'application/merge-patch+json',
          body: { series: { count, lastObservedTime: microTime(lastAt) } },
        });
        series.writtenCount = count;
        onRecorded?.('counted');
      } catch (error) {
        // The API server drops events after an hour: the next occurrence makes a new one.
        open.delete(id);
        if (!(error instanceof KubeError && error.status === 404)) throw error;
      }
    });
  };
  const sweep = (): void => {
    for (const [id, series] of open) {
      const over = nowMs() - series.lastAt.getTime() >= seriesMs;
      const due = series.count > series.writtenCount && (over || nowMs() - series.writtenAt >= seriesMs);
      if (over) open.delete(id);
      if (due) writeCount(id, series);
    }
  };
  // Events alone keep no process alive.
  const timer = setInterval(sweep, sweepMs).unref();

  return {
    record(note) {
      if (stopped) {
        onRecorded?.('dropped');
        return;
      }
      const id = JSON.stringify([
        keyOf(note.regarding),
        note.regarding.metadata.uid,
        note.type,
        note.reason,
        note.note,
      ]);
      const series = open.get(id);
      if (series === undefined || nowMs() - series.lastAt.getTime() >= seriesMs) {
        begin(id, note);
        return;
      }
      series.count += 1;
      series.lastAt = now();
      // The first repetition is told at once, the others once per period.
      if (series.count === 2) writeCount(id, series);
    },
    settled: async () => await chain,
    async stop() {
      stopped = true;
      clearInterval(timer);
      for (const [id, series] of open) if (series.count > series.writtenCount) writeCount(id, series);
      await chain;
    },
  };
}
