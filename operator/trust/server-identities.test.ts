/** From a key made here to the certificate in use, by Secret and by command; a bad one never takes the place of a good one. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { signRequest } from '../../e2e/parts/certificate-authority.ts';
import { type Pki, createPki } from '../../e2e/parts/pki.ts';
import type { DrimboxSite, PacsLink } from '../api/types.generated.ts';
import type { IdentityMaterial, Resolved } from '../plan/observations.ts';
import type { Inventory, KeyedData } from '../resources/inventory.ts';
import { type CertificateRequest, makeRequest } from './certificate-request.ts';
import { certificateStore } from './certificate-store.ts';
import { readAnchors, readCrls } from './material.ts';
import { identityJudge, serverIdentities, serverKey } from './server-identities.ts';

const root = mkdtempSync(join(tmpdir(), 'drimbox-identities-'));
test.after(() => rmSync(root, { recursive: true }));
const pki: Pki = await createPki(join(root, 'pki'));
const link = 'ght/pacs';
const fqdn = 'db1.example';
const anchors = readAnchors(readFileSync(pki.bundleFile, 'utf8'));
assert.ok(anchors.ok);
const crls = await readCrls([readFileSync(pki.crlBundleFile)], anchors.pem);

async function sign({ csrPem }: CertificateRequest, notBefore = new Date()): Promise<string> {
  return await signRequest(csrPem, pki.servers, { notBefore });
}

function inventory(secret: Readonly<Record<string, string>>): Inventory {
  const data: KeyedData = Object.fromEntries(Object.entries(secret).map(([key, text]) => [key, Buffer.from(text)]));
  const metadata = { namespace: 'ght', name: 'pacs' };
  const pair = { fqdn, certificate: { secretName: 'db' } };
  return {
    trustSpaces: [],
    sites: [{ metadata: { namespace: 'ght', name: 'nord' }, spec: { trustSpace: 'test' } } as DrimboxSite],
    links: [{ metadata, spec: { site: 'nord', db: pair, vi: { ...pair, fqdn: 'vi1.example' } } } as PacsLink],
    secrets: new Map([['ght/db', data]]),
    configMaps: new Map(),
  };
}

async function db(
  store: ReturnType<typeof certificateStore>,
  secret: Readonly<Record<string, string>>,
): Promise<Resolved<IdentityMaterial>> {
  const trusts = new Map([['test', { anchors, crls }]]);
  const input = { inventory: inventory(secret), trusts, store, judge: identityJudge(), at: new Date() };
  const found = (await serverIdentities(input)).get(serverKey(link, 'db'));
  assert.ok(found);
  return found;
}

const subject = { fqdn, organisation: 'STRUCTURE SYNTHETIQUE', structureId: '1750000001' };
const old = await pki.issue({ commonName: fqdn, organizationalUnit: '1750000001', kind: 'SERV_SSL' });
const oldSecret = { 'tls.crt': old.chainPem, 'tls.key': old.keyPem };

test('the key is for its owner alone, and a request that waits is not replaced', async () => {
  const folder = join(root, 'kept');
  const store = certificateStore(folder);
  const request = await makeRequest(subject, new Date());
  store.keep(link, 'db', request);
  const [file = ''] = readdirSync(join(folder, link, 'db'));
  assert.is(statSync(join(folder, link, 'db', file)).mode & 0o777, 0o600);
  assert.throws(() => store.keep(link, 'db', request), /already waits/);
  assert.is(store.pending(link, 'vi'), undefined);
});

test('a Secret with tls.crt alone is completed by the key made here, and the request is over', async () => {
  const store = certificateStore(join(root, 'secret'));
  const request = await makeRequest(subject, new Date());
  store.keep(link, 'db', request);
  assert.is((await db(store, oldSecret)).ok, true);
  assert.ok(store.pending(link, 'db'), 'another certificate does not answer it');
  const answer = { 'tls.crt': await sign(request) };
  const used = await db(store, answer);
  assert.ok(used.ok && used.keyPem === request.keyPem);
  assert.is(store.pending(link, 'db'), undefined);
  assert.equal(await db(store, answer), used, 'also in the rounds that follow');
});

test('of two good ones the later issued is used; a bad one never', async () => {
  const store = certificateStore(join(root, 'accepted'));
  const request = await makeRequest(subject, new Date());
  store.accept(link, 'db', { certificatePem: await sign(request), keyPem: request.keyPem });
  const used = await db(store, oldSecret);
  assert.ok(used.ok && used.keyPem === request.keyPem);
  const next = await pki.issue({
    commonName: fqdn,
    organizationalUnit: '1750000001',
    kind: 'SERV_SSL',
    notBefore: new Date(Date.now() - 1_000),
  });
  store.accept(link, 'db', {
    certificatePem: await sign(request, new Date(Date.now() - 60_000)),
    keyPem: request.keyPem,
  });
  const rotated = await db(store, { 'tls.crt': next.chainPem, 'tls.key': next.keyPem });
  assert.ok(rotated.ok && rotated.keyPem === `${next.keyPem.trim()}\n`);
  const wrong = await pki.issue({ commonName: 'other.example', organizationalUnit: '1', kind: 'SERV_SSL' });
  const kept = await db(store, { 'tls.crt': wrong.chainPem, 'tls.key': wrong.keyPem });
  assert.ok(kept.ok && kept.keyPem === request.keyPem);
  const none = await db(certificateStore(join(root, 'none')), { 'tls.crt': wrong.chainPem, 'tls.key': wrong.keyPem });
  assert.is(none.ok ? '' : none.reason, 'WrongName');
});

test.run();
