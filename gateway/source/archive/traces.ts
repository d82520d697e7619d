/**
 * Audit records and raw statistics on the archive's database (DB.CS.06, DB.SO.87), in order. While a database server is away they wait in
 * memory and in a file, so that what was done meanwhile is told when it is back, by this process or by the next one. What was under way
 * when the connection broke is written again: a trace may stand twice then, and is never missing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TraceStore } from '../../journal/journal.ts';
import type { Database, Statement } from './database.ts';
import type { Trace, TraceSpool } from './trace-spool.ts';
import { ArchiveUnavailable } from './unavailable.ts';

/** A trace takes a few hundred bytes: some ten megabytes at most. */
const mostWaiting = 20_000;
const lookAgainMs = 1_000;

export interface ClosableTraceStore extends TraceStore {
  /**
   * What still waits after `graceMs` is given up; its writer says so, unless it is in the file.
   * @returns how many wait there for the next process
   */
  close(graceMs: number): Promise<number>;
}

export interface Spooling {
  readonly spool: TraceSpool;
  /** What went wrong, in words: a file that can't be written is told once in each absence of the archive. */
  readonly onFault: (what: string, error: unknown) => void;
}

interface Waiting {
  readonly trace: Trace;
  /** Whether it is in the file, once that is known; absent while nothing was to be kept. */
  inFile?: Promise<boolean>;
  resolve(): void;
  reject(error: unknown): void;
}

/** @param spooling for a database that may be away while this process lives */
export function createTraceStore(database: Database, spooling?: Spooling): ClosableTraceStore {
  const queue: Waiting[] = (spooling?.spool.left ?? []).map((trace) => ({
    trace,
    inFile: Promise.resolve(true),
    resolve: () => undefined,
    reject: (error) => spooling?.onFault('trace of a former run not kept', error),
  }));
  const givenUp = new AbortController();
  const state = { pumping: undefined as Promise<void> | undefined, away: false, faulty: false, left: 0 };

  const fault = (error: unknown): false => {
    if (!state.faulty) spooling?.onFault('traces wait in memory alone: their file can not be written', error);
    state.faulty = true;
    return false;
  };

  const keepInFile = (news: readonly Waiting[]): void => {
    if (spooling === undefined || news.length === 0) return;
    const kept = spooling.spool.keep(news.map(({ trace }) => trace)).then(() => true as const, fault);
    for (const one of news) one.inFile = kept;
  };

  const pump = async (): Promise<void> => {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      try {
        await database.transaction(statementsOf(next.trace));
        next.resolve();
      } catch (error) {
        if (error instanceof ArchiveUnavailable) {
          state.away = true;
          keepInFile(queue.filter(({ inFile }) => inFile === undefined));
          await rest();
          if (!givenUp.signal.aborted) continue;
          await giveUp(error);
          break;
        }
        next.reject(error);
      }
      if (await next.inFile) await spooling?.spool.told().catch(fault);
      queue.shift();
    }
    // Not with the first that is written: what comes while the others are goes to the file behind them.
    [state.away, state.faulty] = [false, false];
    state.pumping = undefined;
  };

  const giveUp = async (error: unknown): Promise<void> => {
    for (const one of queue.splice(0)) {
      const isKept = (await one.inFile) === true;
      if (isKept) one.resolve();
      else one.reject(error);
      state.left += isKept ? 1 : 0;
    }
  };

  const rest = async (): Promise<void> => {
    try {
      await sleep(lookAgainMs, undefined, { signal: givenUp.signal });
    } catch (error) {
      if (!givenUp.signal.aborted) throw error;
    }
  };

  if (queue.length > 0) state.pumping = pump();
  return {
    async append(at, traces) {
      if (queue.length >= mostWaiting)
        throw new Error(`${mostWaiting} traces wait for the archive: no more are kept until it is back`);
      const written = new Promise<void>((resolve, reject) => {
        const one = { trace: { at, ...traces }, resolve, reject };
        queue.push(one);
        if (state.away) keepInFile([one]);
      });
      state.pumping ??= pump();
      await written;
    },
    async close(graceMs) {
      const timer = setTimeout(() => givenUp.abort(), graceMs);
      await state.pumping;
      clearTimeout(timer);
      await spooling?.spool.close();
      return state.left;
    },
  };
}

function statementsOf({ at, event, audit, statistics }: Trace): readonly Statement[] {
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
