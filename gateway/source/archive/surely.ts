/**
 * Writes of work that is done and must be told (audit of DB.CS.06): when the connection breaks under a commit, nobody knows whether it
 * happened. Here the same is written again until that is known, so that what follows from it follows, once the archive is back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from './database.ts';
import { ArchiveUnavailable, Overtaken } from './unavailable.ts';

const lookAgainMs = 1_000;

/**
 * Only for transactions that begin with a conditional change: one that was written before is overtaken by itself, and then returns no
 * rows. @param signal from then on an unknown outcome is thrown as it is
 */
export function surely(database: Database, signal: AbortSignal): Database {
  return {
    ...database,
    async transaction(statements) {
      let unknown = false;
      for (;;) {
        try {
          return await database.transaction(statements);
        } catch (error) {
          if (error instanceof Overtaken && unknown) return statements.map(() => []);
          if (!(error instanceof ArchiveUnavailable)) throw error;
          unknown ||= error.outcome === 'unknown';
          if (!unknown || signal.aborted) throw error;
          await rest(signal);
        }
      }
    },
  };
}

async function rest(signal: AbortSignal): Promise<void> {
  try {
    await sleep(lookAgainMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
