/** How a connection is made: TLS with the server's name checked (verify-full), the password, patience. Files are read each time. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { ClientConfig } from 'pg';
import type { PostgresConfig } from '../../../../common/contract/gateway-config.ts';
import { ArchiveUnavailable } from '../unavailable.ts';
import { columnTypes } from './column-types.ts';

/** Milliseconds. */
export interface Patience {
  /** TCP, TLS and authentication, and waiting for one of our few connections. */
  readonly connect: number;
  /** Longest statement, by the server's clock; the commit is not among them. */
  readonly statement: number;
  /** Longest wait for an answer, the commit's too: beyond it the connection is given up. */
  readonly answer: number;
}

export const usualPatience: Patience = { connect: 5_000, statement: 10_000, answer: 12_000 };

/** @throws ArchiveUnavailable FileUnreadable */
export async function clientConfig(
  { host, port, database, user, passwordFile, trustFile }: PostgresConfig,
  name: string,
  patience: Patience,
): Promise<ClientConfig> {
  const password = (await text(passwordFile, 'passwordFile')).replace(/[\r\n]+$/, '');
  if (password === '') throw unusable('passwordFile', `${passwordFile} is empty: it holds the password alone`);
  const ca = await text(trustFile, 'trustFile');
  // without one, Node would trust the public authorities
  if (!ca.includes('-----BEGIN CERTIFICATE-----'))
    throw unusable('trustFile', `${trustFile} holds no certificate: give the authority of the server as PEM`);
  return {
    host,
    port,
    database,
    user,
    password,
    ssl: {
      ca,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 && { servername: host }),
      // by the name of the configuration, an address too: nothing else names the server
      checkServerIdentity: (_servername, certificate) => checkServerIdentity(host, certificate),
    },
    types: columnTypes,
    application_name: name,
    options: '', // nothing from PGOPTIONS of the environment
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: patience.connect,
    statement_timeout: patience.statement,
    query_timeout: patience.answer,
    idle_in_transaction_session_timeout: patience.answer * 2,
  };
}

async function text(file: string, field: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw unusable(field, why, error);
  }
}

function unusable(field: string, why: string, cause?: unknown): ArchiveUnavailable {
  return new ArchiveUnavailable('FileUnreadable', `storage.postgres.${field} can't be used: ${why}`, { cause });
}
