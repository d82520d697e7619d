/** The command line on lists that are good, bad and different: exit codes and what scripts read. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPki } from '../../e2e/parts/pki.ts';
import { type ListedDomain, signWhitelist } from '../../e2e/parts/whitelist.ts';

const root = mkdtempSync(join(tmpdir(), 'drimbox-whitelist-cli-'));
test.after(() => rmSync(root, { recursive: true }));
const pki = await createPki(join(root, 'pki'));
const signer = await pki.issue({
  commonName: 'Liste Blanche DRIM-M',
  organizationalUnit: '318751275100020',
  kind: 'SIGN',
});
const entry = (name: string): ListedDomain => ({
  db: `db.${name}.example`,
  vi: `vi.${name}.example`,
  commonName: `db.${name}.example`,
  organizationalUnit: '1750000001',
});
const write = (name: string, bytes: Buffer): string => {
  const file = join(root, name);
  writeFileSync(file, bytes);
  return file;
};
const old = write('old.xml', signWhitelist({ domains: [entry('a'), entry('b')], signer, pki }));
const young = write('young.xml', signWhitelist({ domains: [entry('b'), entry('c')], signer, pki }));
const bad = write('bad.xml', Buffer.from(readFileSync(old, 'utf8').replace('db.a.example', 'db.x.example')));
const anchor = ['--anchor', pki.root.certificateFile];
const crl = ['--crl', pki.crlBundleFile];

function drimbox(...args: readonly string[]): {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
} {
  const argv = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../main.ts'), 'whitelist', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', cwd: root });
  return { code: status, out: stdout, error: stderr };
}

function json(out: string): Record<string, unknown> {
  return JSON.parse(out) as Record<string, unknown>;
}

test('accepted: 0, with signer, time, revocation and entries', () => {
  const { code, out } = drimbox('verify', old, ...anchor, ...crl, '--json');
  assert.is(code, 0);
  const verdict = json(out);
  assert.equal([verdict['accepted'], verdict['revocation']], [true, 'good']);
  assert.equal(verdict['domains'], [entry('a'), entry('b')]);
  assert.is((verdict['signer'] as { readonly commonName: string }).commonName, 'Liste Blanche DRIM-M');
  assert.ok(Date.parse(String(verdict['signedAt'])) > 0);
});

test('without CRLs it says that revocation was not checked', () => {
  assert.is(json(drimbox('verify', old, ...anchor, '--json').out)['revocation'], 'not checked');
  assert.match(drimbox('verify', old, ...anchor).out, 'revocation was not checked');
});

test('refused: 1, with one reason and a detail', () => {
  const { code, out } = drimbox('verify', bad, ...anchor, '--json');
  assert.is(code, 1);
  const verdict = json(out);
  assert.equal(Object.keys(verdict), ['accepted', 'reason', 'detail']);
  assert.equal([verdict['accepted'], verdict['reason']], [false, 'DocumentChanged']);
  const reasonWith = (...args: readonly string[]): unknown =>
    json(drimbox('verify', old, ...args, '--json').out)['reason'];
  assert.is(reasonWith(...anchor, '--signer-cn', 'Liste Blanche DRIM-M PROD'), 'SignerName');
  assert.is(reasonWith(...anchor, '--signer-ou', '1'), 'SignerName');
  assert.is(reasonWith(...anchor, '--at', '2060-01-01T00:00:00Z'), 'Expired');
  assert.is(reasonWith('--anchor', pki.foreign.certificateFile), 'UntrustedChain');
});

test('a TrustSpace decides by its own policy', () => {
  const directory = join(root, 'resources');
  mkdirSync(directory);
  const space = (crls: string): string =>
    JSON.stringify({
      apiVersion: 'drimbox.dev/v1alpha1',
      kind: 'TrustSpace',
      metadata: { name: 'test' },
      spec: {
        environment: 'TEST',
        whitelist: { url: 'https://lists.example/list.xml', signer: { commonName: 'Liste Blanche DRIM-M' } },
        anchors: { inline: readFileSync(pki.bundleFile, 'utf8') },
        crls: { sources: [{ inline: crls }] },
        introspection: { mode: 'disabled' },
        dmp: {
          url: 'https://dmp.example/services',
          homologationId: 'DRB-1',
          trust: { inline: readFileSync(pki.bundleFile, 'utf8') },
        },
        ingress: { weatherProbes: ['192.0.2.0/24'] },
      },
    });
  const place = (text: string): void => writeFileSync(join(directory, 'trust.yaml'), text);
  place(space(readFileSync(pki.crlBundleFile, 'utf8')));
  const named = drimbox('verify', old, '--trust-space', 'test', '-f', directory, '--json');
  assert.is(json(named.out)['revocation'], 'good', named.error);
  assert.is(drimbox('verify', old, '-f', directory).code, 0);
  place(space(readFileSync(pki.root.crlFile, 'utf8')));
  const strict = drimbox('verify', old, '-f', directory, '--json');
  assert.is(strict.code, 1);
  assert.match(strict.out + strict.error, /Crl|CRL/);
  const unknown = drimbox('verify', old, '--trust-space', 'prod', '-f', directory);
  assert.is(unknown.code, 1);
  assert.match(unknown.error, "no TrustSpace 'prod' (there: test)");
});

test('show lists the entries; diff tells what came and what went, and verifies both', () => {
  const shown = drimbox('show', old, ...anchor);
  assert.is(shown.code, 0);
  assert.match(shown.out, 'db.b.example');
  const difference = drimbox('diff', old, young, ...anchor, '--json');
  assert.is(difference.code, 1);
  const { added, removed } = json(difference.out) as { added: ListedDomain[]; removed: ListedDomain[] };
  assert.equal([added.map(({ db }) => db), removed.map(({ db }) => db)], [['db.c.example'], ['db.a.example']]);
  assert.is(drimbox('diff', old, old, ...anchor).code, 0);
  assert.match(drimbox('diff', old, bad, ...anchor).out, 'bad.xml: refused: DocumentChanged');
});

test('refresh tells the operator of that state folder, by SIGHUP', async () => {
  const state = join(root, 'state');
  mkdirSync(state);
  const program = "process.once('SIGHUP', () => process.exit(7)); setInterval(() => {}, 1000); console.log('up')";
  const operator = spawn(process.execPath, ['-e', program, 'operator'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(operator.stdout, 'data');
  writeFileSync(join(state, 'operator.pid'), String(operator.pid));
  const ended = once(operator, 'exit');
  assert.is(drimbox('refresh', '--state', state).code, 0);
  assert.equal(await ended, [7, null]);
});

test('nobody to ask, nobody to believe, nothing to do: said in words', () => {
  const refresh = drimbox('refresh');
  assert.is(refresh.code, 1);
  assert.match(refresh.error, 'no operator runs');
  assert.match(drimbox('verify', old).error, 'nobody to believe');
  for (const args of [
    [],
    ['verify'],
    ['diff', old],
    ['verify', old, ...anchor, '--at', 'noon'],
    ['verify', old, '--x'],
  ])
    assert.is(drimbox(...args).code, 2, args.join(' '));
});

test.run();
