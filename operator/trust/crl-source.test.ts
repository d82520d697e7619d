/** CRLs are asked for where certificates say, by http alone, and at half their life. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as x509 from '../../common/pki/x509.ts';
import { createPki } from '../../e2e/parts/pki.ts';
import { halfLifeMs, namedCrls } from './crl-source.ts';

const root = mkdtempSync(join(tmpdir(), 'drimbox-crl-source-'));
test.after(() => rmSync(root, { recursive: true }));
const pki = await createPki(root);

async function naming(...urls: readonly string[]): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=a',
    keys: pki.foreign.keys,
    signingAlgorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    extensions: [new x509.CRLDistributionPointsExtension([...urls])],
  });
  return certificate.toString('pem');
}

test('http alone, each once, whatever else stands there', async () => {
  const one = await naming('http://crl.example/a.crl', 'ldap://crl.example/a', 'https://crl.example/a.crl');
  const two = await naming('http://crl.example/b.crl', 'http://crl.example/a.crl');
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
  const none = readFileSync(pki.bundleFile, 'utf8');
  assert.equal(namedCrls([`${one}\n${two}`, two, broken, none, '']), [
    'http://crl.example/a.crl',
    'http://crl.example/b.crl',
  ]);
});

test('half of the shortest life, DER or PEM', async () => {
  const thisUpdate = new Date('2026-01-01T00:00:00Z');
  await pki.writeCrl(pki.servers, { thisUpdate, nextUpdate: new Date('2026-01-01T02:00:00Z') });
  assert.is(halfLifeMs(readFileSync(pki.servers.crlDerFile)), 3_600_000);
  assert.is(halfLifeMs(readFileSync(pki.crlBundleFile)), 3_600_000);
  assert.is(halfLifeMs(Buffer.from('nothing')), undefined);
});

test.run();
