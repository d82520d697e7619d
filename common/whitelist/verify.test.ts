/** The verifier on the official list when it is there, and on a list signed the same way by an independent signer. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPki, type Issued, type Pki } from '../../e2e/parts/pki.ts';
import { signWhitelist } from '../../e2e/parts/whitelist.ts';
import { verifyWhitelist } from './verify.ts';
import { isListed, type WhitelistPolicy } from './whitelist.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-whitelist-'));
test.after(() => rmSync(directory, { recursive: true }));
const pki: Pki = await createPki(directory);
const signer: Issued = await pki.issue({
  commonName: 'Liste Blanche DRIM-M',
  organizationalUnit: '318751275100020',
  kind: 'SIGN',
});
const domains = [
  { db: 'db1.a.example', vi: 'vi1.a.example', commonName: 'db1.a.example', organizationalUnit: '1750000001' },
];
const list = signWhitelist({ domains, signer, pki });
const policy: WhitelistPolicy = {
  anchors: [readFileSync(pki.root.certificateFile)],
  crls: [readFileSync(pki.crlBundleFile)],
  requireRevocation: true,
  signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' },
  at: new Date(),
};

test('a list signed as ANS signs is accepted, revocation checked', async () => {
  const verdict = await verifyWhitelist(list, policy);
  assert.ok(verdict.accepted, JSON.stringify(verdict));
  assert.is(verdict.whitelist.revocation, 'good');
  assert.equal(
    verdict.whitelist.domains.map(({ db }) => db),
    ['db1.a.example'],
  );
});

test('xmlsec1 accepts the same list', () => {
  const file = join(directory, 'list.xml');
  writeFileSync(file, list);
  const args = [
    '--verify',
    '--id-attr:Id',
    'SignedProperties',
    '--trusted-pem',
    pki.root.certificateFile,
    '--untrusted-pem',
    pki.organisations.certificateFile,
    file,
  ];
  const output = execFileSync('xmlsec1', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  assert.type(output, 'string'); // xmlsec1 exits non-zero, and execFileSync throws, when the signature is not valid
});

test('CN without regard to case, OU exactly, both of the same entry', async () => {
  const verdict = await verifyWhitelist(list, policy);
  if (!verdict.accepted) throw new Error(verdict.detail);
  assert.ok(isListed(verdict.whitelist, { commonName: 'DB1.A.EXAMPLE', organizationalUnit: '1750000001' }));
  assert.not.ok(isListed(verdict.whitelist, { commonName: 'db1.a.example', organizationalUnit: '1750000002' }));
});

const official = join(import.meta.dirname, '../../../shared/ans/whitelist');
test('the official TEST list verifies with the root and with the intermediate as anchor', async () => {
  const source = existsSync(official)
    ? {
        bytes: readFileSync(join(official, 'LISTEBLANCHE_DRIM-M_SIGNEE_TEST.xml')),
        anchors: ['root.cer', 'intermediate.cer'].map((name) => readFileSync(join(official, 'anchors', name))),
      }
    : {
        bytes: list,
        anchors: [pki.root, pki.organisations].map(({ certificateFile }) => readFileSync(certificateFile)),
      };
  for (const anchor of source.anchors) {
    const verdict = await verifyWhitelist(source.bytes, {
      ...policy,
      anchors: [anchor],
      crls: [],
      requireRevocation: false,
    });
    assert.ok(verdict.accepted, JSON.stringify(verdict));
    assert.ok(verdict.whitelist.domains.length > 0);
  }
});

test('one changed byte of the list, of the properties or of the signature value: refused, each for its reason', async () => {
  const xml = list.toString();
  const variants: readonly (readonly [string, string])[] = [
    [xml.replace('db1.a.example', 'db2.a.example'), 'DocumentChanged'],
    [xml.replace(/<xades:SigningTime>\d{4}/, '<xades:SigningTime>1999'), 'SignedPropertiesChanged'],
    [xml.replace(/(<ds:SignatureValue[^>]*>)./, (_whole, tag: string) => `${tag}/`), 'SignatureForged'],
  ];
  for (const [variant, reason] of variants) {
    const verdict = await verifyWhitelist(Buffer.from(variant), policy);
    assert.is(verdict.accepted ? 'accepted' : verdict.reason, reason);
  }
});

test.run();
