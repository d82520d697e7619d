import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRfc2253, singleValue } from './distinguished-name.ts';
import { readAnswer } from './introspection.ts';
import { readXfcc } from './xfcc.ts';

const envoy =
  'Hash=468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688;Subject="OU=318751275100020,CN=client.test";URI=';

test('a peer is read as Envoy writes it', () => {
  const reading = readXfcc(envoy);
  assert.ok(reading.ok);
  assert.equal(reading.ok && [reading.peer.commonName, reading.peer.organizationalUnit], [
    'client.test',
    '318751275100020',
  ]);
});

test('escaped quotes and commas of a subject stay in its values', () => {
  const reading = readXfcc('Hash=ab;Subject="C=FR,O=CENTRE \\"NORD\\"\\, SUD,OU=1750000001,CN=db1.a.example"');
  assert.equal(reading.ok && [reading.peer.commonName, reading.peer.organizationalUnit], [
    'db1.a.example',
    '1750000001',
  ]);
});

const refusedHeaders: readonly (readonly [string, string | undefined])[] = [
  ['no header', undefined],
  ['an empty header', ''],
  ['two elements: someone added one', `${envoy},${envoy}`],
  ['a second subject in one element', 'Subject="CN=a,OU=b";Subject="CN=c,OU=d"'],
  ['no subject', 'Hash=ab;URI='],
  ['two CN', 'Subject="CN=a,CN=b,OU=c"'],
  ['two CN in one RDN', 'Subject="CN=a+CN=b,OU=c"'],
  ['no OU', 'Subject="CN=a"'],
  ['a subject that is not a name', 'Subject="nonsense"'],
  ['an unclosed quote', 'Subject="CN=a,OU=b'],
];
for (const [name, header] of refusedHeaders) test(`XFCC refused: ${name}`, () => assert.is(readXfcc(header).ok, false));

test('a CN inside another value is not a CN', () => {
  const reading = readXfcc('Subject="O=CN\\=db1.victim.example,OU=1,CN=attacker.example"');
  assert.is(reading.ok && reading.peer.commonName, 'attacker.example');
  const comma = readXfcc('Subject="O=X\\,CN\\=victim,OU=1,CN=attacker.example"');
  assert.is(comma.ok && comma.peer.commonName, 'attacker.example');
});

test('names: accents as bytes, order and multi-valued RDNs', () => {
  const name = parseRfc2253("C=FR,ST=Paris (75),O=H\\C3\\B4pital d'essai+OU=1750000001,CN=db1.example");
  assert.ok(name);
  assert.is(name && singleValue(name, 'O'), "Hôpital d'essai");
  assert.is(name && singleValue(name, 'OU'), '1750000001');
});

const now = new Date('2026-01-01T00:00:00Z');
const later = now.getTime() / 1000 + 60;

test('a token is active only when the answer says true itself', () => {
  assert.is(readAnswer(JSON.stringify({ active: true, exp: later }), now).active, true);
  for (const answer of ['{"active":"true"}', '{"active":1}', '{}', '[]', 'null', 'oops', '{"active":false}'])
    assert.is(readAnswer(answer, now).active, false, answer);
});

test('an expired token is not active, whatever the answer says', () => {
  assert.is(readAnswer(JSON.stringify({ active: true, exp: now.getTime() / 1000 }), now).active, false);
});

test('the professional is read from the claims for the audit', () => {
  const verdict = readAnswer(
    JSON.stringify({ active: true, preferred_username: '899999999901', client_id: 'drimbox' }),
    now,
  );
  assert.equal(verdict.active && [verdict.professionalId, verdict.clientId], ['899999999901', 'drimbox']);
});

test.run();
