/** The operator's journal: each event is logged, counted and kept as the catalogue says. */
import type { Log } from '../../common/observability/log.ts';
import { type Meaning, catalogue } from './catalogue.ts';
import type { OperatorEvent } from './events.ts';
import { type KeptEvent, keep } from './kept-events.ts';
import type { OperatorMetrics } from './metrics.ts';

export interface OperatorJournal {
  record(event: OperatorEvent): void;
  /** The latest, newest last; from this life and those before. */
  events(): readonly KeptEvent[];
}

export interface OperatorJournalOptions {
  readonly log: Log;
  readonly metrics: OperatorMetrics;
  readonly now: () => Date;
  /** What was kept when the operator last ran. */
  readonly former: readonly KeptEvent[];
}

export function createOperatorJournal({ log, metrics, now, former }: OperatorJournalOptions): OperatorJournal {
  let kept = former;
  for (const event of Object.keys(catalogue)) metrics.events.inc({ event }, 0);
  return {
    record(happened) {
      // one look-up by the event's own name: the meaning and the event are of the same type
      const meaning = catalogue[happened.name] as Meaning<OperatorEvent>;
      const { level, sentence } = meaning;
      const { name: event, ...fields } = happened;
      log.write(level, sentence, { event, ...fields });
      metrics.events.inc({ event });
      meaning.metrics?.(happened, metrics);
      const telling = meaning.telling?.(happened);
      if (telling !== undefined) kept = keep(kept, { event, level, ...telling }, now().toISOString());
    },
    events: () => kept,
  };
}
