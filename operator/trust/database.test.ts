/** What Secrets and ConfigMaps may hold of a database, and what is said of what they lack. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DatabaseObservation } from '../plan/observations.ts';
import type { KeyedData } from '../resources/inventory.ts';
import { emptyInternalState, internalBundle, renewInternal } from './internal-authority.ts';
import { readDatabase } from './database.ts';

type Trust = Parameters<typeof readDatabase>[1]['trust'];

const authority = internalBundle(await renewInternal(emptyInternalState, [], new Date('2026-01-01T00:00:00Z')));
const texts = (data: Readonly<Record<string, string>>): KeyedData =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text)]));

interface Held {
  readonly secret?: Readonly<Record<string, string>>;
  readonly trust?: Trust;
  readonly authorities?: Readonly<Record<string, string>>;
}

function read({ secret, trust = { inline: authority }, authorities }: Held): DatabaseObservation {
  const held = new Map(authorities === undefined ? [] : [['ght/ca', texts(authorities)]]);
  return readDatabase(
    'ght',
    { host: 'db', port: 5432, database: 'nord', credentials: { secretName: 'app' }, trust },
    {
      secrets: new Map([...(secret === undefined ? [] : [['ght/app', texts(secret)] as const]), ...held]),
      configMaps: held,
    },
  );
}

const good = { username: 'app', password: 'p' };

test('user and password as the Secret has them, without the line feed that an editor leaves', () => {
  const { credentials } = read({ secret: { username: 'app\n', password: ' p w\n', host: 'ignored' } });
  assert.equal(credentials, { ok: true, user: 'app', password: ' p w' });
});

const lacking: Readonly<Record<string, readonly [Held['secret'], string, RegExp]>> = {
  'no Secret': [undefined, 'CredentialsNotFound', /Secret ght\/app does not exist; make it/],
  'no username': [{ password: 'p' }, 'CredentialsIncomplete', /no username/],
  'no password': [{ username: 'app' }, 'CredentialsIncomplete', /no password/],
  'an empty password': [{ username: 'app', password: '\n' }, 'CredentialsIncomplete', /no password, or an empty one/],
  'a name that PostgreSQL would cut': [{ ...good, username: 'é'.repeat(32) }, 'CredentialsUnreadable', /63 bytes/],
};

for (const [what, [secret, reason, words]] of Object.entries(lacking))
  test(`${what}: ${reason}`, () => {
    const { credentials } = read(secret === undefined ? {} : { secret });
    if (credentials.ok) throw new Error('it was taken');
    assert.is(credentials.reason, reason);
    assert.match(credentials.message, words);
  });

test('authorities from the text itself, a Secret or a ConfigMap; under ca.crt unless another key is said', () => {
  const named: readonly Trust[] = [
    { inline: authority },
    { secret: { name: 'ca', key: 'ca.crt' } },
    { configMap: { name: 'ca', key: 'other.pem' } },
  ];
  for (const trust of named) {
    const { trust: found } = read({
      secret: good,
      trust,
      authorities: { 'ca.crt': authority, 'other.pem': authority },
    });
    assert.ok(found.ok);
    assert.match(found.pem, 'BEGIN CERTIFICATE');
  }
});

const untrusted: Readonly<Record<string, readonly [Held, string, RegExp]>> = {
  'no ConfigMap': [
    { trust: { configMap: { name: 'ca', key: 'ca.crt' } } },
    'DatabaseTrustNotFound',
    /ConfigMap ght\/ca does not exist/,
  ],
  'no such key': [
    { trust: { secret: { name: 'ca', key: 'ca.crt' } }, authorities: { 'tls.crt': authority } },
    'DatabaseTrustNotFound',
    /Secret ght\/ca has no key ca\.crt/,
  ],
  'no certificate': [{ trust: { inline: 'none' } }, 'DatabaseTrustUnreadable', /inline: .*no PEM certificate/],
  'half a certificate': [
    { trust: { secret: { name: 'ca', key: 'ca.crt' } }, authorities: { 'ca.crt': authority.replace(/\n.*\n/, '\n') } },
    'DatabaseTrustUnreadable',
    /Secret ght\/ca ca\.crt: /,
  ],
};

for (const [what, [held, reason, words]] of Object.entries(untrusted))
  test(`${what} to judge the server by: ${reason}`, () => {
    const { trust } = read({ secret: good, ...held });
    if (trust.ok) throw new Error('it was taken');
    assert.is(trust.reason, reason);
    assert.match(trust.message, words);
  });

test.run();
