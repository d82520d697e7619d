/** One transaction of the archive on one connection. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import type { Row, Statement } from '../database.ts';
import { Overtaken } from '../unavailable.ts';
import { type Connections } from './connections.ts';
import { isCollision, isUncertain, toFault } from './faults.ts';
import { postgresText } from './statement-text.ts';

/** A collision is rare (conditional updates lock their row first): more in a row are a defect. */
const mostTries = 5;

/** @throws Overtaken, ArchiveUnavailable, or what the server objects to */
export async function transact(
  connections: Connections,
  statements: readonly Statement[],
  random: () => number,
): Promise<readonly (readonly Row[])[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await connections.use((client) => once(client, connections, statements));
    } catch (error) {
      if (tries === mostTries || !isCollision(causeOf(error))) throw error;
      await sleep(Math.ceil(random() * 20 * 2 ** tries));
    }
  }
}

async function once(
  client: ClientBase,
  connections: Connections,
  statements: readonly Statement[],
): Promise<readonly (readonly Row[])[]> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE');
  const rows: (readonly Row[])[] = [];
  try {
    for (const statement of statements) {
      const result = await client.query<Row>(postgresText(statement.sql), [...(statement.params ?? [])]);
      if (statement.must !== undefined && result.rows.length === 0) throw new Overtaken(statement.must);
      rows.push(result.rows);
    }
  } catch (error) {
    // where even this fails the connection is gone, and with it the transaction: the first error says what happened
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
  await commit(client, connections);
  return rows;
}

/**
 * Without the statement's time limit: the server would end a wait for its standby by it, and then say "committed" of what no standby
 * has. Whoever waits here longer than the client's own limit, or loses the connection, does not know what happened.
 */
async function commit(client: ClientBase, connections: Connections): Promise<void> {
  try {
    await client.query('SET LOCAL statement_timeout = 0; COMMIT');
  } catch (error) {
    throw isUncertain(error) ? toFault(error, connections.settings(), 'unknown') : error;
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}
