/** The journal: each event goes to log, metrics, audit and statistics as the catalogue says. */
import type { Log } from '../../common/observability/log.ts';
import type { AuditContext, AuditRecord } from './audit.ts';
import { catalogue, type Meaning, type StatisticRow } from './catalogue.ts';
import type { Journal, JournalEvent } from './events.ts';
import type { GatewayMetrics } from './metrics.ts';

/** What is kept of one event. */
export interface Traces {
  readonly event: string;
  readonly audit?: AuditRecord;
  readonly statistics: readonly StatisticRow[];
}

/** Where traces are kept: durable before it resolves. */
export interface TraceStore {
  append(at: string, traces: Traces): Promise<void>;
}

export interface JournalWriter extends Journal {
  /** Resolves when every trace recorded so far is durable. */
  flush(): Promise<void>;
}

export function createJournal(deps: {
  readonly log: Log;
  readonly metrics: GatewayMetrics;
  readonly store: TraceStore;
  readonly context: AuditContext;
  readonly now: () => Date;
}): JournalWriter {
  const { log, metrics, store, context, now } = deps;
  const pending = new Set<Promise<void>>();
  return {
    record(event) {
      // one lookup by the event's own name: the meaning and the event are of the same type
      const meaning = catalogue[event.name] as Meaning<JournalEvent>;
      log.write(meaning.level, meaning.sentence, fieldsOf(event));
      meaning.metrics?.(event, metrics);
      const audit = meaning.audit?.(event, context);
      const statistics = meaning.statistics?.(event, context) ?? [];
      if (audit === undefined && statistics.length === 0) return;
      const written = store
        .append(now().toISOString(), { event: event.name, ...(audit && { audit }), statistics })
        .catch((error: unknown) => {
          // a trace that can't be kept is said loudly; it must not stop care
          metrics.internalErrors.inc();
          log.write('error', 'trace not kept', { event: event.name, detail: String(error) });
        });
      pending.add(written);
      void written.finally(() => pending.delete(written));
    },
    async flush() {
      await Promise.all(pending);
    },
  };
}

function fieldsOf(event: JournalEvent): Readonly<Record<string, unknown>> {
  const { name, ...fields } = event;
  return { event: name, ...fields };
}
