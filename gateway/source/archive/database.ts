/**
 * SQLite in a worker thread: one writer, WAL, synchronous=FULL, so that a committed row survives SIGKILL and power loss
 * (architecture decision 9) and a commit's fsync never blocks the sockets.
 */
import { Worker } from 'node:worker_threads';
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';

export interface Statement {
  readonly sql: string;
  readonly params?: readonly SQLInputValue[];
}

export type Row = Readonly<Record<string, SQLOutputValue>>;

export type DatabaseRequest =
  | { readonly id: number; readonly kind: 'transaction'; readonly statements: readonly Statement[] }
  | { readonly id: number; readonly kind: 'query'; readonly statement: Statement }
  | { readonly id: number; readonly kind: 'close' };

export type DatabaseResponse =
  | { readonly id: number; readonly ok: true; readonly rows: readonly (readonly Row[])[] }
  | { readonly id: number; readonly ok: false; readonly message: string };

export interface Database {
  /** All statements or none. Rows are those of `RETURNING`, one list per statement. */
  transaction(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]>;
  query(sql: string, params?: readonly SQLInputValue[]): Promise<readonly Row[]>;
  /** Waits for what was sent, then closes the file. */
  close(): Promise<void>;
}

/** @throws Error when the file can't be opened or migrated. */
export async function openDatabase(file: string): Promise<Database> {
  const worker = new Worker(new URL('database-worker.ts', import.meta.url), { workerData: { file } });
  const waiting = new Map<
    number,
    { resolve: (rows: readonly (readonly Row[])[]) => void; reject: (error: Error) => void }
  >();
  const state: { next: number; broken: Error | undefined } = { next: 1, broken: undefined };
  const fail = (error: Error): void => {
    state.broken = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', (response: DatabaseResponse) => {
    const caller = waiting.get(response.id);
    waiting.delete(response.id);
    if (response.ok) caller?.resolve(response.rows);
    else caller?.reject(new Error(response.message));
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
    close: async () => {
      await ask({ kind: 'close' });
      await worker.terminate();
    },
  };
}
