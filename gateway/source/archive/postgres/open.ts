/**
 * The archive in PostgreSQL. It is opened whether or not the server answers: what is asked meanwhile fails with the reason, and goes
 * on by itself when the server is back. A row that was acknowledged is on the server's disk, and on its synchronous standbys if it
 * has any.
 */
import type { PostgresConfig } from '../../../../common/contract/gateway-config.ts';
import type { Database, Row } from '../database.ts';
import type { Duty } from '../duty.ts';
import { type ArchiveHealth, ArchiveUnavailable } from '../unavailable.ts';
import { type Connections, openConnections } from './connections.ts';
import { createDuty } from './duty.ts';
import { migrate } from './migrate.ts';
import { type Patience, usualPatience } from './settings.ts';
import { postgresText } from './statement-text.ts';
import { transact } from './transaction.ts';

export interface SharedDatabase extends Database {
  readonly duty: Duty;
  /** Other files of password and trust. @throws ArchiveUnavailable when the server does not take them: the former stay */
  exchange(next: PostgresConfig): Promise<void>;
}

export interface PostgresOptions {
  /** `namespace/name`: whose archive it is. */
  readonly site: string;
  /** Of the gateway, shown by the server (`pg_stat_activity.application_name`). */
  readonly name: string;
  readonly now: () => Date;
  readonly random: () => number;
  readonly patience?: Patience;
}

/** How often it is asked whether it answers, when nothing else asks. */
const askMs = { up: 10_000, away: 1_000 } as const;

/** Resolves after the first attempt, whatever came of it. @throws Error when the server objects to our own statements: a defect */
export async function openPostgres(settings: PostgresConfig, options: PostgresOptions): Promise<SharedDatabase> {
  const connections = openConnections(settings, options.name, options.patience ?? usualPatience);
  const watch = watchHealth(options.now);
  const state: { tables: Promise<void> | undefined; timer: NodeJS.Timeout | undefined; closed: boolean } = {
    tables: undefined,
    timer: undefined,
    closed: false,
  };

  const tables = async (): Promise<void> => {
    state.tables ??= connections.use((client) => migrate(client, options.site));
    try {
      await state.tables;
    } catch (error) {
      state.tables = undefined; // tried again by whoever comes next
      throw error;
    }
  };
  const watched = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      await tables();
      const result = await work();
      watch.answered(describe(connections));
      return result;
    } catch (error) {
      if (error instanceof ArchiveUnavailable) watch.away(error);
      throw error;
    }
  };
  const query: Database['query'] = (sql, params = []) =>
    watched(() => connections.use(async (client) => (await client.query<Row>(postgresText(sql), [...params])).rows));
  const ask = async (): Promise<void> => {
    try {
      await query('SELECT 1');
    } catch (error) {
      if (!(error instanceof ArchiveUnavailable)) throw error;
    }
  };
  const askLater = (): void => {
    clearTimeout(state.timer);
    if (state.closed) return;
    // a defect at this point was thrown at the start already, or is told by whoever else asks
    const again = (): void =>
      void ask()
        .catch(() => undefined)
        .finally(askLater);
    state.timer = setTimeout(again, watch.health().up ? askMs.up : askMs.away);
  };

  try {
    await ask();
  } catch (error) {
    await connections.close();
    throw error;
  }
  askLater();
  watch.follow(askLater); // one that goes away is asked sooner
  return {
    transaction: (statements) => watched(() => transact(connections, statements, options.random)),
    query,
    health: watch.health,
    follow: watch.follow,
    duty: createDuty({
      connections,
      answers: async () => void (await query('SELECT 1')),
      announce: async () => void (await query(`SELECT pg_notify('drimbox_work', '')`)),
      site: options.site,
    }),
    async exchange(next) {
      await connections.follow(next);
      await ask();
    },
    async close() {
      state.closed = true;
      clearTimeout(state.timer);
      await connections.close();
    },
  };
}

function describe(connections: Connections): string {
  const { host, port, database } = connections.settings();
  return `PostgreSQL ${host}:${port}, database ${database}`;
}

function watchHealth(now: () => Date) {
  const listeners: ((health: ArchiveHealth) => void)[] = [];
  const state: { health: ArchiveHealth } = {
    health: { up: false, reason: 'Starting', detail: 'not asked yet', since: now() },
  };
  const change = (health: ArchiveHealth): void => {
    state.health = health;
    for (const listener of listeners) listener(health);
  };
  return {
    health: () => state.health,
    follow: (listener: (health: ArchiveHealth) => void): void => void listeners.push(listener),
    answered(detail: string): void {
      if (!state.health.up) change({ up: true, detail, since: now() });
    },
    away({ reason, message }: ArchiveUnavailable): void {
      const { health } = state;
      if (health.up || health.reason !== reason)
        change({ up: false, reason, detail: message, since: health.up ? now() : health.since });
    },
  };
}
