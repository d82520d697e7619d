/** A key that never leaves, a request that stays the same, and a certificate that is looked at before it counts. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeGroup } from '../../e2e/parts/group.ts';
import { signRequest } from '../../e2e/parts/certificate-authority.ts';
import { createPki } from '../../e2e/parts/pki.ts';

const root = mkdtempSync(join(tmpdir(), 'drimbox-certificate-cli-'));
test.after(() => rmSync(root, { recursive: true }));
const pki = await createPki(join(root, 'pki'));
const structure = { id: '1750000001', name: 'Centre d’imagerie Nord' };
const fqdn = 'db1.nord.example';
const issue = (kind: 'SERV_SSL' | 'MARKET' | 'AUTH_CLI' | 'SIGN', commonName: string): ReturnType<typeof pki.issue> =>
  pki.issue({ commonName, organizationalUnit: structure.id, kind });
writeGroup(join(root, 'resources'), {
  namespace: 'ght',
  pki,
  whitelistUrl: 'http://127.0.0.1:1/list.xml',
  signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' },
  crlUrls: ['http://127.0.0.1:1/a.crl'],
  dmpUrl: 'https://localhost:1/dmp',
  introspection: { url: 'https://localhost:1/psc', clientId: 'x', certificate: await issue('AUTH_CLI', 'psc') },
  publicPort: 8443,
  sites: [
    {
      name: 'nord',
      structure,
      sourceId: '2.25.1',
      sendingApplication: 'RIS',
      mllpPort: 2575,
      dimsePort: 11112,
      authentication: await issue('AUTH_CLI', 'nord'),
      signature: await issue('SIGN', 'nord'),
      links: [
        {
          name: 'pacs',
          pacs: { host: '127.0.0.1', port: 104, aeTitle: 'PACS' },
          callingAeTitle: 'DRIM',
          aeTitlePool: ['DRIM1'],
          maxConcurrentMoves: 1,
          retrieveLocationUid: '2.25.2',
          db: { fqdn, certificate: await issue('SERV_SSL', fqdn) },
          vi: { fqdn: 'vi1.nord.example', certificate: await issue('MARKET', 'vi1.nord.example') },
        },
      ],
    },
  ],
});
const folder = join(root, 'state/certificates/ght/pacs/db');

function drimbox(...args: readonly string[]): { readonly code: number | null; readonly out: string; error: string } {
  const argv = [
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, '../main.ts'),
    'certificate',
    ...args,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', cwd: root });
  return { code: status, out: stdout, error: stderr };
}

const here = ['--link', 'ght/pacs', '--kind', 'db', '-f', 'resources', '--state', 'state'];

function accept(certificate: string): ReturnType<typeof drimbox> {
  writeFileSync(join(root, 'answer.pem'), certificate);
  return drimbox('accept', ...here, '--file', 'answer.pem');
}

let csr = '';

test('request: the CSR alone is printed, the same again; the key is for its owner alone', () => {
  const first = drimbox('request', ...here);
  assert.is(first.code, 0, first.error);
  csr = first.out;
  assert.match(csr, /^-----BEGIN CERTIFICATE REQUEST-----\n[\s\S]+-----END CERTIFICATE REQUEST-----\n$/);
  assert.is(drimbox('request', ...here).out, csr);
  assert.equal(readdirSync(folder), ['request.json']);
  assert.is(statSync(join(folder, 'request.json')).mode & 0o777, 0o600);
});

test('openssl reads in it: name, structure, a good signature', () => {
  const { stdout, stderr } = spawnSync('openssl', ['req', '-verify', '-noout', '-subject', '-text'], {
    input: csr,
    encoding: 'utf8',
  });
  assert.match(stderr, 'verify OK');
  assert.match(stdout, /OU ?= ?1750000001, ?CN ?= ?db1\.nord\.example/);
  assert.match(stdout, 'DNS:db1.nord.example');
});

test('accept: another key, a foreign authority and an ended certificate are refused with the reason', async () => {
  const other = await issue('SERV_SSL', fqdn);
  const cases: readonly (readonly [string, string])[] = [
    [other.chainPem, 'KeyMismatch'],
    [await signRequest(csr, pki.foreign), 'UntrustedChain'],
    [await signRequest(csr, pki.servers, { notAfter: new Date(Date.now() - 1_000) }), 'Expired'],
    ['nothing', 'no certificate'],
  ];
  for (const [certificate, why] of cases) {
    const { code, error } = accept(certificate);
    assert.is(code, 1);
    assert.match(error, why);
    assert.not.match(error, 'PRIVATE');
  }
  assert.equal(readdirSync(folder), ['request.json']);
});

test('accept: a good one ends the request; the next request has another key', async () => {
  const { code, out, error } = accept(await signRequest(csr, pki.servers));
  assert.is(code, 0, error);
  assert.match(out, 'accepted');
  assert.equal(readdirSync(folder), ['accepted.json']);
  assert.is(statSync(join(folder, 'accepted.json')).mode & 0o777, 0o600);
  const kept = JSON.parse(readFileSync(join(folder, 'accepted.json'), 'utf8')) as { readonly keyPem: string };
  assert.match(kept.keyPem, 'PRIVATE KEY');
  const next = drimbox('request', ...here).out;
  assert.match(next, 'CERTIFICATE REQUEST');
  assert.is.not(next, csr);
});

test('wrong usage: 2; a link that is not there: 1, with those that are', () => {
  assert.is(drimbox('request').code, 2);
  assert.is(drimbox('accept', ...here).code, 2);
  assert.is(drimbox('forget', ...here).code, 2);
  const { code, error } = drimbox('request', ...here, '--link', 'ght/other');
  assert.is(code, 1);
  assert.match(error, 'ght/pacs');
  assert.is(drimbox('list', '--state', 'state').code, 1);
});

test.run();
