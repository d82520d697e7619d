/**
 * Duty by a lock of PostgreSQL that lives as long as one connection does: the server frees it when the gateway, its host or the way
 * to it is gone, and whoever asks next has it. The same connection hears of work (LISTEN).
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Duty, DutyListener } from '../duty.ts';
import type { Connections } from './connections.ts';

export interface DutyOptions {
  readonly connections: Pick<Connections, 'open'>;
  /** The archive answers, its tables are there. @throws ArchiveUnavailable */
  readonly answers: () => Promise<void>;
  readonly announce: () => Promise<void>;
  readonly site: string;
}

const tryMs = 1_000;
/** Each beat asks the server, so that a lost lock is noticed; each second one looks for work unasked. */
const beatMs = 2_000;

/** The server frees the lock of a gateway that froze, or whose host vanished, within about this many seconds. */
const frozenSeconds = 15;
const sessionSettings = [
  `SET idle_session_timeout = '${frozenSeconds}s'`,
  `SET tcp_keepalives_idle = 5`,
  `SET tcp_keepalives_interval = 3`,
  `SET tcp_keepalives_count = 3`,
  `SET tcp_user_timeout = '${frozenSeconds}s'`,
].join('; ');

/** Signed 64 bits of a digest: sites that share a server do not meet. */
export function dutyKey(site: string): string {
  return createHash('sha256').update(`drimbox duty of ${site}`).digest().readBigInt64BE().toString();
}

export function createDuty(options: DutyOptions): Duty {
  const stopped = new AbortController();
  const state = { held: false, ended: Promise.resolve() };

  const rest = async (ms: number): Promise<void> => {
    try {
      await sleep(ms, undefined, { signal: stopped.signal });
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
    }
  };

  /** One connection's life. Rejects when it breaks. */
  const term = async (client: Client, listener: DutyListener): Promise<void> => {
    client.once('end', () => lose(listener, 'the connection to the database ended'));
    client.on('notification', () => {
      if (state.held) listener.work();
    });
    for (let beat = 1; !stopped.signal.aborted; beat++) {
      if (state.held) {
        await client.query('SELECT 1');
        if (beat % 2 === 0) listener.work();
      } else if (await takes(client, options.site)) {
        state.held = true;
        listener.taken();
      }
      await rest(state.held ? beatMs : tryMs);
    }
  };

  const lose = (listener: DutyListener, detail: string): void => {
    if (!state.held) return;
    state.held = false;
    listener.lost(detail);
  };

  const serve = async (listener: DutyListener): Promise<void> => {
    const told = { last: '' };
    while (!stopped.signal.aborted) {
      let client: Client | undefined;
      const at: { phase: 'archive' | 'connection' | 'term' } = { phase: 'archive' };
      try {
        await options.answers();
        at.phase = 'connection';
        client = await options.connections.open();
        await client.query(sessionSettings);
        await client.query('LISTEN drimbox_work');
        at.phase = 'term';
        told.last = '';
        await term(client, listener);
        state.held = false; // given up
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        lose(listener, detail);
        // an archive that is away is told by its own watch; what keeps us from duty alone is told here, once
        if (at.phase === 'connection' && detail !== told.last) listener.refused((told.last = detail));
        await rest(tryMs);
      }
      // ending frees the lock; a connection that broke has nothing to end
      await client?.end().catch(() => undefined);
    }
  };

  return {
    held: () => state.held,
    begin(listener) {
      state.ended = serve(listener);
    },
    announce: options.announce,
    async stop() {
      stopped.abort();
      await state.ended;
    },
  };
}

async function takes(client: Client, site: string): Promise<boolean> {
  const { rows } = await client.query<{ readonly taken: string }>(
    'SELECT pg_try_advisory_lock($1::bigint)::text AS taken',
    [dutyKey(site)],
  );
  return rows[0]?.taken === 'true';
}
