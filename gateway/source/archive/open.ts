/** The archive a configuration asks for: a file of this gateway alone, or a database that all gateways of the site share. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayConfig } from '../../../common/contract/gateway-config.ts';
import { type Database, openDatabase } from './database.ts';
import { aloneOnDuty, type Duty } from './duty.ts';

export interface ArchiveDatabase {
  readonly database: Database;
  readonly duty: Duty;
  /** Where traces wait while it is away; undefined for a file, which never is. */
  readonly spoolFile?: string;
  /** What may change while it is open: the files of password and trust. @throws ArchiveUnavailable; the former stay */
  exchange(next: GatewayConfig): Promise<void>;
}

/** @throws Error when the file can't be opened, or made by a newer version; never because a server is away */
export async function openArchiveDatabase(
  { site, storage }: GatewayConfig,
  { index }: { readonly index: number },
  now: () => Date,
): Promise<ArchiveDatabase> {
  const { postgres, directory } = storage;
  if (postgres === undefined) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const database = await openDatabase(join(directory, 'archive.sqlite'));
    return { database, duty: aloneOnDuty(), exchange: () => Promise.resolve() };
  }
  // only here: a gateway on a file does not carry the driver
  const { openPostgres } = await import('./postgres/open.ts');
  const whose = `${site.namespace}/${site.name}`;
  const database = await openPostgres(postgres, {
    site: whose,
    name: `drimbox ${whose} ${index}`,
    now,
    random: Math.random,
  });
  return {
    database,
    duty: database.duty,
    spoolFile: join(directory, `traces-waiting-${index}.jsonl`),
    exchange: async (next) => {
      if (next.storage.postgres) await database.exchange(next.storage.postgres);
    },
  };
}
