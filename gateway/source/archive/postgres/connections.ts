/** The few connections of one gateway: made when needed, by the settings in force then. */
import { Client, type ClientBase, type ClientConfig, Pool, type PoolClient } from 'pg';
import type { PostgresConfig } from '../../../../common/contract/gateway-config.ts';
import { ArchiveUnavailable } from '../unavailable.ts';
import { toFault } from './faults.ts';
import { clientConfig, type Patience } from './settings.ts';

const most = 4;
/** As server_version_num. */
const oldest = 140_000;
/** An idle connection is given back to the server after this. */
const idleMs = 300_000;

export interface Connections {
  readonly settings: () => PostgresConfig;
  /** @throws ArchiveUnavailable, or what the server objects to in a statement */
  use<T>(work: (client: PoolClient) => Promise<T>): Promise<T>;
  /** A connection of its own, to be ended by the caller. @throws ArchiveUnavailable */
  open(): Promise<Client>;
  /**
   * New connections are made by these from now on; those at work stay.
   * @throws ArchiveUnavailable when the server is there and does not take them: the former stay in force
   */
  follow(next: PostgresConfig): Promise<void>;
  close(): Promise<void>;
}

export function openConnections(initial: PostgresConfig, name: string, patience: Patience): Connections {
  const state = { settings: initial, config: undefined as ClientConfig | undefined };
  class OwnClient extends Client {
    constructor() {
      super(state.config);
      // queries under way fail by themselves, and the pool drops an idle one
      this.on('error', () => undefined);
    }
  }
  const pool = new Pool({
    max: most,
    Client: OwnClient,
    idleTimeoutMillis: idleMs,
    connectionTimeoutMillis: patience.connect,
  });
  pool.on('error', () => undefined); // an idle connection ended: the next use makes another, or says why not
  const prepared = new WeakSet<PoolClient>();

  const borrow = async (): Promise<PoolClient> => {
    if (pool.idleCount === 0 || state.config === undefined)
      state.config = await clientConfig(state.settings, name, patience);
    const client = await pool.connect();
    if (prepared.has(client)) return client;
    try {
      await prepare(client);
      prepared.add(client);
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  };

  const connectAlone = async (settings: PostgresConfig): Promise<Client> => {
    const client = new Client(await clientConfig(settings, name, patience));
    client.on('error', () => undefined);
    try {
      await client.connect();
      await prepare(client);
      return client;
    } catch (error) {
      client.end().catch(() => undefined); // it never worked: there is nothing to end in order
      throw toFault(error, settings);
    }
  };

  return {
    settings: () => state.settings,
    async use(work) {
      let client: PoolClient | undefined;
      try {
        client = await borrow();
        const result = await work(client);
        client.release();
        return result;
      } catch (error) {
        const fault = toFault(error, state.settings);
        // what did not answer in time may answer the next one's question
        client?.release(fault instanceof ArchiveUnavailable || client.getTransactionStatus() !== 'I');
        throw fault;
      }
    },
    open: () => connectAlone(state.settings),
    async follow(next) {
      const before = state.settings;
      if (JSON.stringify(before) === JSON.stringify(next)) return;
      try {
        const client = await connectAlone(next);
        await client.end();
      } catch (error) {
        // a server that is away says nothing against new settings
        if (!(error instanceof ArchiveUnavailable) || refusals.has(error.reason)) throw error;
      }
      state.settings = next;
      state.config = undefined;
    },
    close: () => pool.end(),
  };
}

const refusals = new Set([
  'FileUnreadable',
  'PasswordRefused',
  'CertificateNotTrusted',
  'ServerNameMismatch',
  'PermissionDenied',
]);

/**
 * A commit is on disk when it is answered, also where the server's default is weaker; a stronger one (`remote_apply`) stays. A
 * standby is found out at once, not at the first write.
 */
async function prepare(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ readonly standby: string; readonly version: string }>(
    `SELECT pg_is_in_recovery()::text AS standby, current_setting('server_version_num') AS version,
            CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')
                 THEN set_config('synchronous_commit', 'on', false) END`,
  );
  const [{ standby, version } = { standby: '', version: '' }] = rows;
  if (Number(version) < oldest)
    throw new ArchiveUnavailable(
      'ServerTooOld',
      `the server is PostgreSQL ${Math.floor(Number(version) / 10_000)}: 14 or newer is needed (idle_session_timeout)`,
    );
  if (standby !== 'true') return;
  throw new ArchiveUnavailable(
    'ReadOnlyServer',
    'storage.postgres.host is a standby: give the address of the primary (CloudNativePG: the -rw service)',
  );
}
