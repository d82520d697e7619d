/**
 * What the archive stands on: plain SQL with `?` parameters that SQLite and PostgreSQL understand alike. Here SQLite in a worker
 * thread: one writer, WAL, synchronous=FULL, so that a committed row survives SIGKILL and power loss (architecture decision 9) and
 * a commit's fsync never blocks the sockets. PostgreSQL is in `postgres/`.
 */
import { Worker } from 'node:worker_threads';
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { type ArchiveHealth, ArchiveUnavailable, Overtaken } from './unavailable.ts';

export interface Statement {
  readonly sql: string;
  readonly params?: readonly SQLInputValue[];
  /** It must return a row, or nothing of the transaction is written and {@link Overtaken} says this. */
  readonly must?: string;
}

export type Row = Readonly<Record<string, SQLOutputValue>>;

export type DatabaseRequest =
  | { readonly id: number; readonly kind: 'transaction'; readonly statements: readonly Statement[] }
  | { readonly id: number; readonly kind: 'query'; readonly statement: Statement }
  | { readonly id: number; readonly kind: 'close' };

export type DatabaseResponse =
  | { readonly id: number; readonly ok: true; readonly rows: readonly (readonly Row[])[] }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly overtaken: boolean };

export interface Database {
  /**
   * All statements or none, durable when it resolves. Rows are those of `RETURNING`, one list per statement.
   * @throws Overtaken @throws ArchiveUnavailable
   */
  transaction(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]>;
  /** @throws ArchiveUnavailable */
  query(sql: string, params?: readonly SQLInputValue[]): Promise<readonly Row[]>;
  /** As last heard: nothing is asked for it. */
  health(): ArchiveHealth;
  /** Told of each change from now on. */
  follow(listener: (health: ArchiveHealth) => void): void;
  /** Waits for what was sent, then closes. */
  close(): Promise<void>;
}

/** SQLite. @throws Error when the file can't be opened or migrated. */
export async function openDatabase(file: string): Promise<Database> {
  const worker = new Worker(new URL('database-worker.ts', import.meta.url), { workerData: { file } });
  const waiting = new Map<
    number,
    { resolve: (rows: readonly (readonly Row[])[]) => void; reject: (error: Error) => void }
  >();
  const listeners: ((health: ArchiveHealth) => void)[] = [];
  const state: { next: number; broken: Error | undefined; closing: boolean; health: ArchiveHealth } = {
    next: 1,
    broken: undefined,
    closing: false,
    health: { up: true, detail: file, since: new Date() },
  };
  const fail = (error: Error): void => {
    state.broken = new ArchiveUnavailable('Broken', error.message, { cause: error });
    for (const { reject } of waiting.values()) reject(state.broken);
    waiting.clear();
    if (state.closing || !state.health.up) return;
    state.health = { up: false, reason: 'Broken', detail: error.message, since: new Date() };
    for (const listener of listeners) listener(state.health);
  };
  worker.on('message', (response: DatabaseResponse) => {
    const caller = waiting.get(response.id);
    waiting.delete(response.id);
    if (response.ok) caller?.resolve(response.rows);
    else caller?.reject(response.overtaken ? new Overtaken(response.message) : new Error(response.message));
  });
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`archive database is closed (worker ended, ${code})`)));

  type Unsent = DatabaseRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never;
  const ask = (request: Unsent): Promise<readonly (readonly Row[])[]> =>
    new Promise((resolve, reject) => {
      if (state.broken) {
        reject(state.broken);
        return;
      }
      const id = state.next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ ...request, id });
    });

  await ask({ kind: 'query', statement: { sql: 'SELECT 1' } });
  return {
    transaction: (statements) => ask({ kind: 'transaction', statements }),
    query: async (sql, params) =>
      (await ask({ kind: 'query', statement: { sql, ...(params && { params }) } }))[0] ?? [],
    health: () => state.health,
    follow: (listener) => void listeners.push(listener),
    close: async () => {
      state.closing = true;
      await ask({ kind: 'close' });
      await worker.terminate();
    },
  };
}
