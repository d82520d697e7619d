import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { siteInput } from '../../infrastructure/kubernetes/site-input.testing.ts';
import type { IdentityMaterial, Resolved, TrustObservation } from '../../plan/observations.ts';
import { type Inventory, type KeyedData, keyOf } from '../../resources/inventory.ts';
import { createStore } from '../../resources/kubernetes/store.ts';
import type { IdentityJudge } from '../../trust/server-identities.ts';
import { clusterCertificates } from './certificate-secrets.ts';
import { type JudgedIdentities, judgedIdentities } from './judged.ts';
import type { DataObject } from './watches.ts';

const { site, links, trust } = siteInput();
const link = links.slice(0, 1);
const [first] = link;
if (first === undefined) throw new Error('two-sites has no link');
const now = new Date('2026-01-01T00:00:00Z');
const hour = 3_600_000;
const secret = `${first.metadata.namespace}/${first.spec.db.certificate.secretName}`;

function inventoryOf(secrets: Inventory['secrets']): Inventory {
  return { trustSpaces: [trust], sites: [site], links: link, secrets, configMaps: new Map() };
}

const observed = (crls: string): TrustObservation => ({
  anchors: { ok: true, pem: 'anchors' },
  crls: { ok: true, pem: crls, nextUpdate: '2027-01-01T00:00:00Z' },
  dmpTrust: { ok: true, pem: 'anchors' },
  whitelist: { status: 'True', reason: 'Verified', message: '' },
});

interface Counted {
  readonly identities: JudgedIdentities;
  readonly asked: string[];
}

/** What is counted is how often the judge is asked; what he says is another test's question. */
function counted(verdict: () => Resolved<IdentityMaterial>): Counted {
  const asked: string[] = [];
  const judge: IdentityJudge = async (_identity, { kind }) => {
    asked.push(kind);
    return verdict();
  };
  const store = clusterCertificates(createStore<DataObject>(), () => undefined);
  return { asked, identities: judgedIdentities(judge, store, () => 1) };
}

const refused = (): Resolved<IdentityMaterial> => ({ ok: false, reason: 'X', message: 'x' });
const noSecrets = new Map<string, KeyedData>();

test('nobody is judged again for the same inputs; what was found is the very same object', async () => {
  const { identities, asked } = counted(refused);
  const trusts = new Map([[site.spec.trustSpace, observed('crl 1')]]);
  const inventory = inventoryOf(noSecrets);
  const found = await identities.servers(inventory, trusts, now);
  const again = await identities.servers({ ...inventory }, trusts, new Date(now.getTime() + hour / 2));
  assert.equal(asked.toSorted(), ['db', 'vi']);
  for (const [key, identity] of found) assert.is(again.get(key), identity);
  assert.equal([...found.keys()], [`${keyOf(first)} db`, `${keyOf(first)} vi`]);
});

test('a new CRL or new anchors judge db again, and only db', async () => {
  const { identities, asked } = counted(refused);
  const inventory = inventoryOf(noSecrets);
  const judge = async (crls: string): Promise<void> =>
    void (await identities.servers(inventory, new Map([[site.spec.trustSpace, observed(crls)]]), now));
  await judge('crl 1');
  asked.length = 0;
  await judge('crl 2');
  assert.equal(asked, ['db']);
});

test('a Secret that changes judges what is served from it, and after an hour all is judged again', async () => {
  const { identities, asked } = counted(refused);
  const trusts = new Map([[site.spec.trustSpace, observed('crl')]]);
  await identities.servers(inventoryOf(noSecrets), trusts, now);
  asked.length = 0;
  const secrets = new Map([[secret, { 'tls.crt': Buffer.from('x') }]]);
  await identities.servers(inventoryOf(secrets), trusts, now);
  assert.equal(asked, ['db']);
  asked.length = 0;
  await identities.servers(inventoryOf(secrets), trusts, new Date(now.getTime() + hour));
  assert.equal(asked.toSorted(), ['db', 'vi']);
});

test('judged again to the same, it is the former object; to another, the new one', async () => {
  let verdict = refused();
  const { identities } = counted(() => structuredClone(verdict));
  const key = `${keyOf(first)} db`;
  const look = async (crls: string): Promise<unknown> =>
    (await identities.servers(inventoryOf(noSecrets), new Map([[site.spec.trustSpace, observed(crls)]]), now)).get(key);
  const before = await look('crl 1');
  assert.is(await look('crl 2'), before);
  verdict = { ok: false, reason: 'Revoked', message: 'revoked' };
  assert.equal(await look('crl 3'), verdict);
});

test('a Secret is read once as long as its data are the same object', async () => {
  const { identities } = counted(refused);
  const data = { 'tls.crt': Buffer.from('x') };
  const read = async (secrets: Inventory['secrets']): Promise<unknown> =>
    (await identities.identities([secret], secrets)).get(secret);
  const found = await read(new Map([[secret, data]]));
  assert.is(await read(new Map([[secret, data]])), found);
  assert.is.not(await read(new Map([[secret, { ...data }]])), found);
});

test.run();
