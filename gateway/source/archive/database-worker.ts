/** The thread that owns the SQLite file: runs what `database.ts` sends, one request at a time. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { DatabaseRequest, DatabaseResponse, Row, Statement } from './database.ts';
import { migrations } from './schema.ts';
import { Overtaken } from './unavailable.ts';

const { file } = workerData as { readonly file: string };
const database = new DatabaseSync(file);
database.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;',
);
migrate();

const prepared = new Map<string, StatementSync>();

function migrate(): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > migrations.length)
    throw new Error(`${file} was written by a newer version (schema ${version}, this one knows ${migrations.length})`);
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}

function run({ sql, params = [] }: Statement): Row[] {
  const statement = prepared.get(sql) ?? database.prepare(sql);
  prepared.set(sql, statement);
  return statement.all(...params);
}

function inTransaction(statements: readonly Statement[]): Row[][] {
  database.exec('BEGIN IMMEDIATE');
  try {
    const rows = statements.map((statement) => {
      const found = run(statement);
      if (statement.must !== undefined && found.length === 0) throw new Overtaken(statement.must);
      return found;
    });
    database.exec('COMMIT');
    return rows;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

function answer(request: DatabaseRequest): readonly (readonly Row[])[] {
  if (request.kind === 'transaction') return inTransaction(request.statements);
  if (request.kind === 'query') return [run(request.statement)];
  prepared.clear();
  database.close();
  return [];
}

parentPort?.on('message', (request: DatabaseRequest) => {
  const respond = (response: DatabaseResponse): void => parentPort?.postMessage(response);
  try {
    respond({ id: request.id, ok: true, rows: answer(request) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    respond({ id: request.id, ok: false, message, overtaken: error instanceof Overtaken });
  }
});
