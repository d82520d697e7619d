/**
 * Audit records and raw statistics on the archive's database (DB.CS.06, DB.SO.87), in order. While the archive is away they wait in
 * memory, so that what was done meanwhile is told when it is back; what was under way when the connection broke is written again:
 * a trace may stand twice then, and is never missing as long as the process lives.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TraceStore } from '../../journal/journal.ts';
import type { Database, Statement } from './database.ts';
import { ArchiveUnavailable } from './unavailable.ts';

/** A trace takes a few hundred bytes: some ten megabytes at most. */
const mostWaiting = 20_000;
const lookAgainMs = 1_000;

export interface ClosableTraceStore extends TraceStore {
  /** What still waits after `graceMs` is given up: its writer says so. */
  close(graceMs: number): Promise<void>;
}

interface Waiting {
  readonly statements: readonly Statement[];
  resolve(): void;
  reject(error: unknown): void;
}

export function createTraceStore(database: Database): ClosableTraceStore {
  const queue: Waiting[] = [];
  const givenUp = new AbortController();
  const state: { pumping: Promise<void> | undefined } = { pumping: undefined };

  const pump = async (): Promise<void> => {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      try {
        await database.transaction(next.statements);
        next.resolve();
      } catch (error) {
        if (error instanceof ArchiveUnavailable) {
          await rest();
          if (!givenUp.signal.aborted) continue;
          for (const given of queue.splice(0)) given.reject(error);
          break;
        }
        next.reject(error);
      }
      queue.shift();
    }
    state.pumping = undefined;
  };

  const rest = async (): Promise<void> => {
    try {
      await sleep(lookAgainMs, undefined, { signal: givenUp.signal });
    } catch (error) {
      if (!givenUp.signal.aborted) throw error;
    }
  };

  return {
    async append(at, traces) {
      if (queue.length >= mostWaiting)
        throw new Error(`${mostWaiting} traces wait for the archive: no more are kept until it is back`);
      const written = new Promise<void>((resolve, reject) => {
        queue.push({ statements: statementsOf(at, traces), resolve, reject });
      });
      state.pumping ??= pump();
      await written;
    },
    async close(graceMs) {
      const timer = setTimeout(() => givenUp.abort(), graceMs);
      await state.pumping;
      clearTimeout(timer);
    },
  };
}

function statementsOf(
  at: string,
  { event, audit, statistics }: Parameters<TraceStore['append']>[1],
): readonly Statement[] {
  return [
    ...(audit
      ? [
          {
            sql: 'INSERT INTO audit (at, event, patient_matricule, record) VALUES (?, ?, ?, ?)',
            params: [at, event, audit.patient?.matricule ?? null, JSON.stringify(audit)],
          },
        ]
      : []),
    ...statistics.map((row) => ({
      sql: 'INSERT INTO statistics (at, statistic, structure_id, dimension, value) VALUES (?, ?, ?, ?, ?)',
      params: [at, row.statistic, row.structureId, row.dimension ?? '', row.value],
    })),
  ];
}
