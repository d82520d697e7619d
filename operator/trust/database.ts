/** The database of a site as its Secrets describe it, read and checked before a gateway is told of it. Pure. */
import type { DrimboxSite } from '../api/types.generated.ts';
import type { DatabaseObservation, PemText, Resolved } from '../plan/observations.ts';
import { type Inventory, type KeyedData, textIn } from '../resources/inventory.ts';
import { fail, readAnchors } from './material.ts';

type Postgres = NonNullable<DrimboxSite['spec']['storage']['postgres']>;

/** @param namespace of the site: what it names is there */
export function readDatabase(
  namespace: string,
  { credentials, trust }: Postgres,
  { secrets, configMaps }: Pick<Inventory, 'secrets' | 'configMaps'>,
): DatabaseObservation {
  const secret = `${namespace}/${credentials.secretName}`;
  return {
    credentials: readCredentials(secret, secrets.get(secret)),
    trust: readTrust(namespace, trust, { secrets, configMaps }),
  };
}

/** A Secret with `username` and `password`, as those of type kubernetes.io/basic-auth; line feeds at their ends are not part of them. */
function readCredentials(name: string, data: KeyedData | undefined): DatabaseObservation['credentials'] {
  if (data === undefined)
    return fail('CredentialsNotFound', `Secret ${name} does not exist; make it, with username and password`);
  const [user, password] = [textOf(data['username']), textOf(data['password'])];
  if (user === undefined || password === undefined)
    return fail(
      'CredentialsIncomplete',
      `Secret ${name} has no ${user === undefined ? 'username' : 'password'}, or an empty one`,
    );
  // PostgreSQL would cut a longer name without a word, and the login would be another one's (NAMEDATALEN - 1 bytes).
  if (Buffer.byteLength(user) > 63)
    return fail('CredentialsUnreadable', `Secret ${name}: username is longer than the 63 bytes that PostgreSQL knows`);
  return { ok: true, user, password };
}

function textOf(value: Buffer | string | undefined): string | undefined {
  const text = value && textIn(value).replace(/[\r\n]+$/, '');
  return text === '' ? undefined : text;
}

function readTrust(
  namespace: string,
  trust: Postgres['trust'],
  { secrets, configMaps }: Pick<Inventory, 'secrets' | 'configMaps'>,
): Resolved<PemText> {
  if (trust.inline !== undefined) return judged('inline', trust.inline);
  const reference = trust.secret ?? trust.configMap;
  if (reference === undefined) return fail('DatabaseTrustNotFound', 'none of inline, configMap and secret is given');
  const key = `${namespace}/${reference.name}`;
  const name = `${trust.secret === undefined ? 'ConfigMap' : 'Secret'} ${key}`;
  const data = (trust.secret === undefined ? configMaps : secrets).get(key);
  const bytes = data?.[reference.key];
  if (bytes === undefined)
    return fail(
      'DatabaseTrustNotFound',
      data === undefined ? `${name} does not exist` : `${name} has no key ${reference.key}`,
    );
  return judged(`${name} ${reference.key}`, textIn(bytes));
}

function judged(what: string, text: string): Resolved<PemText> {
  const read = readAnchors(text);
  return read.ok ? read : fail('DatabaseTrustUnreadable', `${what}: ${read.message}`);
}
