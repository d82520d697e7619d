/** What the driver, TLS or the server says, as a reason and a sentence that names the place and what to do. */
import { DatabaseError } from 'pg';
import { type ArchiveReason, ArchiveUnavailable, Overtaken } from '../unavailable.ts';

/** Host, port and database of a connection. */
export interface Where {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

interface Known {
  readonly reason: ArchiveReason;
  readonly advice: string;
}

const password: Known = {
  reason: 'PasswordRefused',
  advice:
    'put the password of this user into the Secret, or set it at the server; pg_hba.conf must let the user in by TLS',
};
const untrusted: Known = {
  reason: 'CertificateNotTrusted',
  advice: 'give the authority of the server certificate (PEM) as trust; is the certificate still valid',
};
const notReady: Known = { reason: 'ServerNotReady', advice: 'the server starts or stops: it is tried again' };
const refused: Known = {
  reason: 'ConnectionRefused',
  advice: 'nothing listens there: does the server run, are host and port right',
};
const unknownHost: Known = { reason: 'HostNotFound', advice: 'check the host name and the DNS' };
const silent: Known = {
  reason: 'Unreachable',
  advice: 'check network, firewall and load of the server; it is tried again',
};

/** SQLSTATE (PostgreSQL appendix A), else error codes of Node and OpenSSL. */
const known: Readonly<Record<string, Known>> = {
  '28P01': password,
  '28000': password,
  '3D000': { reason: 'DatabaseMissing', advice: 'create the database, owned by this user' },
  '42501': { reason: 'PermissionDenied', advice: 'make this user the owner of the database' },
  '53300': { reason: 'TooManyConnections', advice: 'each gateway needs 5 connections: raise max_connections' },
  '53100': { reason: 'DiskFull', advice: 'give the server more disk' },
  '25006': {
    reason: 'ReadOnlyServer',
    advice: 'this is a standby, or made read-only: give the address of the primary (CloudNativePG: the -rw service)',
  },
  '57P01': notReady,
  '57P02': notReady,
  '57P03': notReady,
  ECONNREFUSED: refused,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  ERR_TLS_CERT_ALTNAME_INVALID: {
    reason: 'ServerNameMismatch',
    advice: 'give the host by a name that the certificate carries, or have the certificate issued for it',
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  CERT_HAS_EXPIRED: untrusted,
  CERT_NOT_YET_VALID: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
};

/** Connection, resources, operator, system: through no fault of the statement (classes 08, 53, 55, 57, 58). */
const transient = /^(08|53|55|57|58)/;

/** @returns ArchiveUnavailable for what may pass, else the error itself, or what the server objects to in a statement */
export function toFault(error: unknown, where: Where, outcome?: 'unknown'): Error {
  if (error instanceof ArchiveUnavailable || error instanceof Overtaken || error instanceof RangeError) return error;
  const code = codeOf(error);
  const entry = known[code] ?? ourOwn(error);
  if (error instanceof DatabaseError && entry === undefined && !transient.test(code))
    return new Error(`archive database: ${error.message} (${code})`, { cause: error });
  const { reason, advice } = entry ?? silent;
  const place = `PostgreSQL ${where.host}:${where.port}, database ${where.database}, user ${where.user}`;
  return new ArchiveUnavailable(reason, `${place}: ${sentence(error)}; ${advice}`, {
    cause: error,
    ...(outcome && { outcome }),
  });
}

/** May the server have done what it was asked, though it did not say so? */
export function isUncertain(error: unknown): boolean {
  return !(error instanceof DatabaseError) || transient.test(codeOf(error));
}

/** Serialisation failure or deadlock: the same again may go through. */
export function isCollision(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '40001' || error.code === '40P01');
}

function ourOwn(error: unknown): Known | undefined {
  const noTls = error instanceof Error && error.message.includes('does not support SSL');
  return noTls
    ? { reason: 'TlsNotOffered', advice: 'set ssl = on at the server: nothing is sent without TLS' }
    : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Several addresses of one name fail as one error without words (`AggregateError`). */
function sentence(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(sentence).join(', ');
  return error instanceof Error ? error.message : String(error);
}
