import { createHash, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rsaSha1 } from './algorithms.ts';
import { canonicalSubtrees } from './canonical.ts';
import { signAssertion } from './saml.ts';
import { distinguishedName, readSigningKey } from './signing-key.ts';
import { signSubmission } from './submission-signature.ts';
import { element, UnwritableText } from './xml-writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'signature-'));
test.after(() => rmSync(directory, { recursive: true }));
const keyFile = join(directory, 'key.pem');
const certificateFile = join(directory, 'certificate.pem');
execFileSync(
  'openssl',
  [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/C=FR/O=ESSAI/OU=1999999999/CN=SIGNATURE',
    '-keyout',
    keyFile,
    '-out',
    certificateFile,
  ],
  { stdio: 'ignore' },
);
const certificatePem = readFileSync(certificateFile);
const key = readSigningKey(certificatePem, readFileSync(keyFile));

test('text and attributes are escaped, line ends in attributes are kept', () => {
  const hostile = `<a b="c">&amp;]]>'\t\n`;
  assert.is(element('x', { y: hostile }).text, `<x y="&lt;a b=&quot;c&quot;&gt;&amp;amp;]]&gt;'&#9;&#10;"/>`);
  assert.is(element('x', {}, hostile).text, `<x>&lt;a b="c"&gt;&amp;amp;]]&gt;'\t\n</x>`);
  assert.is(element('x', { y: undefined }, [element('z'), undefined, 'é🩻']).text, '<x><z/>é🩻</x>');
});

test('what XML can not hold is refused by its code point', () => {
  for (const text of ['\u0000', '\u001b', '\ud800', '\ufffe']) {
    assert.throws(
      () => element('x', {}, `a${text}b`),
      (error: unknown) => error instanceof UnwritableText && /U\+[0-9A-F]{4}/.test(error.message),
    );
    assert.throws(
      () => element('x', { y: text }),
      (error: unknown) => error instanceof UnwritableText,
    );
  }
});

test('a key that is not that of the certificate, or not RSA, is refused', () => {
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  assert.throws(
    () => readSigningKey(certificatePem, foreign.toString()),
    /is not that of the certificate CN=SIGNATURE/,
  );
});

test('names are written most specific first', () => {
  const { subject } = new X509Certificate(certificatePem);
  assert.is(distinguishedName(subject), 'CN=SIGNATURE, OU=1999999999, O=ESSAI, C=FR');
});

test('the signature of an assertion verifies over its SignedInfo, wherever the assertion stands', () => {
  const signed = signAssertion(
    (signature) => element('s:A', { 'xmlns:s': 'urn:s', ID: '_1' }, element('s:I', {}, 'x'), signature),
    '_1',
    key,
  ).text;
  for (const xml of [signed, `<e xmlns="urn:e" xmlns:o="urn:o">${signed}</e>`]) {
    const [info = Buffer.alloc(0)] = canonicalSubtrees(xml, [["//*[local-name()='SignedInfo']", 'exclusive']]);
    const value = /SignatureValue>([^<]*)</.exec(xml)?.[1] ?? '';
    assert.ok(verify('RSA-SHA256', info, key.certificate.publicKey, Buffer.from(value, 'base64')));
  }
});

test('the manifest digests raw bytes and holds the set by its placeholder; algorithms are chosen', () => {
  const bytes = Buffer.from([0, 255, 13, 10]);
  const input = {
    signatureId: '2.25.1',
    submissionSetId: '2.25.2',
    documents: [{ uniqueId: '2.25.3', bytes }],
    signingTime: new Date(0),
  };
  const xml = signSubmission(input, key).toString('utf8');
  assert.match(xml, `URI="urn:oid:2.25.2"`);
  assert.match(xml, '<ds:DigestValue>AA==</ds:DigestValue>');
  assert.match(xml, createHash('sha256').update(bytes).digest('base64'));
  assert.match(xml, '<xad:SigningTime>1970-01-01T00:00:00Z</xad:SigningTime>');
  assert.match(signSubmission(input, key, rsaSha1).toString('utf8'), 'xmldsig#rsa-sha1');
});

test.run();
