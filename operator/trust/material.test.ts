/** Material as users give it: what is refused, with which reason. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Issued, type Pki, createPki } from '../../e2e/parts/pki.ts';
import { crlOf } from '../../e2e/parts/whitelist-variants/laboratory.ts';
import * as x509 from '../../common/pki/x509.ts';
import { readAnchors, readCrls, readIdentity } from './material.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-material-'));
const at = Date.now();
let pki: Pki;
let one: Issued;
let two: Issued;

test.before(async () => {
  pki = await createPki(directory);
  const issue = async (commonName: string): Promise<Issued> =>
    await pki.issue({
      commonName,
      organizationalUnit: '1750000001',
      kind: 'SERV_SSL',
      notAfter: new Date(at + 86_400_000),
    });
  one = await issue('db1.example');
  two = await issue('db2.example');
});
test.after(() => rmSync(directory, { recursive: true }));

function secret(certificate: string, key: string): Record<string, Buffer> {
  return { 'tls.crt': Buffer.from(certificate), 'tls.key': Buffer.from(key) };
}

function reason(outcome: { readonly ok: boolean; readonly reason?: string }): string {
  return outcome.ok ? 'ok' : (outcome.reason ?? '');
}

test('a chain with its key is read: names, and the earliest end', () => {
  const read = readIdentity(secret(one.chainPem, one.keyPem));
  assert.ok(read.ok);
  assert.equal(read.names, ['db1.example']);
  assert.ok(Math.abs(Date.parse(read.notAfter) - at - 86_400_000) < 2000);
  assert.is(read.certificatePem.match(/BEGIN CERTIFICATE/g)?.length, 2);
});

test('each way to be wrong has its reason, and none repeats the key', () => {
  const cases: readonly [Record<string, Buffer> | undefined, string][] = [
    [undefined, 'SecretNotFound'],
    [{ 'tls.crt': Buffer.from(one.chainPem) }, 'SecretIncomplete'],
    [secret('nothing', one.keyPem), 'CertificateUnreadable'],
    [secret('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', one.keyPem), 'CertificateUnreadable'],
    [secret(one.chainPem, 'nothing'), 'KeyUnreadable'],
    [secret(one.chainPem, one.keyPem.replace(/[A-Za-z0-9+/]{20}/, 'AAAAAAAAAAAAAAAAAAAA')), 'KeyUnreadable'],
    [secret(one.chainPem, two.keyPem), 'KeyMismatch'],
  ];
  for (const [data, expected] of cases) {
    const read = readIdentity(data);
    assert.is(reason(read), expected);
    assert.not.match(JSON.stringify(read), one.keyPem.slice(40, 80));
  }
});

test('one CRL for each anchor, PEM or DER, is accepted', async () => {
  const anchors = readAnchors(readFileSync(pki.bundleFile, 'utf8'));
  assert.ok(anchors.ok);
  const together = await readCrls([readFileSync(pki.crlBundleFile)], anchors.pem);
  assert.is(reason(together), 'ok');
  const ders = [pki.root, pki.servers, pki.organisations].map(({ crlDerFile }) => readFileSync(crlDerFile));
  const apart = await readCrls(ders, anchors.pem);
  assert.ok(apart.ok && together.ok);
  assert.is(apart.nextUpdate, together.nextUpdate);
  assert.is(apart.pem.match(/BEGIN X509 CRL/g)?.length, 3);
});

test('a missing, foreign or unreadable CRL is refused by name, an ended one is let through with its end', async () => {
  const anchors = readFileSync(pki.bundleFile, 'utf8');
  const [root, servers, organisations] = [pki.root, pki.servers, pki.organisations].map(({ crlFile }) =>
    readFileSync(crlFile),
  );
  assert.ok(root && servers && organisations);
  const foreign = readFileSync(pki.foreign.crlFile);
  assert.is(reason(await readCrls([root, servers], anchors)), 'CrlMissing');
  assert.is(reason(await readCrls([root, servers, organisations, foreign], anchors)), 'CrlOfUnknownAuthority');
  assert.is(reason(await readCrls([Buffer.from('nothing'), root], anchors)), 'CrlUnreadable');
  await pki.writeCrl(pki.servers, { thisUpdate: new Date('2020-01-01'), nextUpdate: new Date('2020-02-01') });
  const ended = await readCrls([root, readFileSync(pki.servers.crlFile), organisations], anchors);
  assert.ok(ended.ok);
  assert.is(ended.nextUpdate, '2020-02-01T00:00:00.000Z');
  // Of two lists of one authority the newer counts, wherever it stands.
  const both = await readCrls([root, servers, readFileSync(pki.servers.crlFile), organisations], anchors);
  assert.ok(both.ok && both.nextUpdate > '2021');
});

test('a CRL of changes alone is refused: newer than the whole one, it would hide who is revoked', async () => {
  const delta = new x509.Extension('2.5.29.27', true, new Uint8Array([2, 1, 1]));
  const changes = await crlOf(pki.organisations, { extensions: [delta], thisUpdate: new Date() });
  const anchors = readFileSync(pki.bundleFile, 'utf8');
  assert.is(reason(await readCrls([readFileSync(pki.crlBundleFile), changes], anchors)), 'CrlPartial');
});

test('anchors that hold no certificate are refused', () => {
  assert.is(reason(readAnchors('')), 'AnchorsEmpty');
  assert.is(reason(readAnchors('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')), 'AnchorsUnreadable');
});

test.run();
