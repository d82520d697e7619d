/** Every way in which a server certificate may not be used, each with its reason; and what is no fault of the certificate. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readCertificates, readCrls } from '../../common/pki/certificates.ts';
import * as x509 from '../../common/pki/x509.ts';
import { type CertificateKind, type Issued, type Pki, createPki } from '../../e2e/parts/pki.ts';
import { type ServerKind, type ServerPolicy, judgeServerCertificate } from './server-certificate.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-server-'));
test.after(() => rmSync(directory, { recursive: true }));
const day = 86_400_000;
const fqdn = 'db1.example';
const pki: Pki = await createPki(directory);

async function issue(kind: CertificateKind, over: Partial<Parameters<Pki['issue']>[0]> = {}): Promise<Issued> {
  return await pki.issue({ commonName: fqdn, organizationalUnit: '1750000001', kind, ...over });
}

async function reason(kind: ServerKind, pem: string, over: Partial<ServerPolicy> = {}): Promise<string> {
  const [leaf] = readCertificates(Buffer.from(pem));
  const names = (leaf?.subjectAltName ?? '').split(', ').map((name) => name.replace('DNS:', ''));
  const policy: ServerPolicy = {
    kind,
    fqdn,
    at: new Date(),
    anchors: readCertificates(readFileSync(pki.bundleFile)),
    crls: readCrls(readFileSync(pki.crlBundleFile)),
    ...over,
  };
  return (await judgeServerCertificate({ certificatePem: pem, names }, policy))?.reason ?? 'good';
}

const good = await issue('SERV_SSL');
const market = await issue('MARKET');
const foreign = await issue('SERV_SSL', { issuer: pki.foreign });
const bare = await x509.X509CertificateGenerator.createSelfSigned({
  name: `CN=${fqdn}`,
  keys: pki.foreign.keys,
  signingAlgorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: fqdn }])],
});
const [leafOnly, issuer] = good.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);

const table: readonly (readonly [string, ServerKind, string, string, Partial<ServerPolicy>?])[] = [
  ['a SERV_SSL one for its name', 'db', good.chainPem, 'good'],
  ['without its chain, as the anchors hold the intermediate', 'db', leafOnly ?? '', 'good'],
  ['a market one for the viewer', 'vi', market.chainPem, 'good'],
  ['a market one of an authority unknown here', 'vi', foreign.chainPem, 'good'],
  ['of another name', 'db', good.chainPem, 'WrongName', { fqdn: 'db2.example' }],
  ['ended', 'db', good.chainPem, 'Expired', { at: new Date(Date.now() + 400 * day) }],
  ['of the viewer, ended', 'vi', market.chainPem, 'Expired', { at: new Date(Date.now() + 400 * day) }],
  ['not begun', 'db', good.chainPem, 'NotYetValid', { at: new Date(Date.now() - 30 * day) }],
  ['for clients', 'db', (await issue('AUTH_CLI', { names: [fqdn] })).chainPem, 'NotForServers'],
  ['of a foreign authority', 'db', foreign.chainPem, 'UntrustedChain'],
  ['chain before leaf', 'db', `${leafOnly}${foreign.chainPem}${issuer}`, 'ChainOutOfOrder'],
  ['no organisation in it', 'vi', bare.toString('pem'), 'NotOrganisationValidated'],
];

for (const [what, kind, pem, expected, over] of table)
  test(`${kind}, ${what}: ${expected}`, async () => assert.is(await reason(kind, pem, over), expected));

test('a revoked one is refused; lists that ended or are missing refuse nobody here', async () => {
  const revoked = await issue('SERV_SSL');
  await pki.revoke(revoked);
  assert.is(await reason('db', revoked.chainPem), 'Revoked');
  assert.is(await reason('db', good.chainPem), 'good');
  assert.is(await reason('db', good.chainPem, { crls: [] }), 'good');
  const window = { thisUpdate: new Date('2020-01-01'), nextUpdate: new Date('2020-02-01') };
  await pki.writeCrl(pki.servers, window);
  assert.is(await reason('db', good.chainPem), 'good');
  assert.is(await reason('db', revoked.chainPem), 'Revoked', 'an old list still knows who was revoked');
});

test.run();
