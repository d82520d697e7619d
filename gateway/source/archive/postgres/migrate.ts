/** Brings a database to the tables this version knows, once, however many gateways start at that moment. */
import type { ClientBase } from 'pg';
import { ArchiveUnavailable } from '../unavailable.ts';
import { migrations } from './schema.ts';

/** Advisory lock of migrations: any number, the same in every version. */
const migrationLock = 7_164_001;

/**
 * @param site `namespace/name`
 * @throws ArchiveUnavailable SchemaNewer, OtherSite; what the driver says otherwise
 */
export async function migrate(client: ClientBase, site: string): Promise<void> {
  await client.query('BEGIN');
  try {
    // held until this transaction ends: whoever comes second finds everything done
    await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
    await client.query('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)');
    const { rows } = await client.query<{ readonly version: number }>('SELECT version FROM schema_version');
    const version = rows[0]?.version ?? 0;
    if (version > migrations.length)
      throw new ArchiveUnavailable(
        'SchemaNewer',
        `the database was written by a newer version (schema ${version}, this one knows ${migrations.length}): update this gateway`,
      );
    for (const sql of migrations.slice(version)) await client.query(sql);
    if (version < migrations.length) {
      await client.query('DELETE FROM schema_version');
      await client.query('INSERT INTO schema_version VALUES ($1)', [migrations.length]);
    }
    await claim(client, site);
    await client.query('COMMIT');
  } catch (error) {
    // a connection that broke can't be rolled back, and needs no rolling back: the first error says what happened
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function claim(client: ClientBase, site: string): Promise<void> {
  await client.query('INSERT INTO archive_of (site) VALUES ($1) ON CONFLICT DO NOTHING', [site]);
  const { rows } = await client.query<{ readonly site: string }>('SELECT site FROM archive_of');
  const owner = rows[0]?.site ?? '';
  if (owner !== site)
    throw new ArchiveUnavailable(
      'OtherSite',
      `the database holds the archive of ${owner}: give ${site} one of its own`,
    );
}
