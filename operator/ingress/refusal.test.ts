/** What Envoy refuses, with a real Envoy: told in its words where it belongs, and nobody else's matter. */
import 'reflect-metadata';
import { once } from 'node:events';
import { createServer } from 'node:net';
import * as x509 from '@peculiar/x509';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TlsIdentity } from '../plan/ingress-plan.ts';
import { call, isOpen, serialServed } from './call.testing.ts';
import { type Stage, openStage } from './stage.testing.ts';
import { withHost } from './world.testing.ts';

let stage: Stage;

const nord = 'db.nord.example';
const sud = 'db.sud.example';

test.before(async () => {
  stage = await openStage(false);
  await stage.apply(stage.plan);
});

test.after(async () => {
  await stage.stop();
});

/** Envoy refuses RSA below 2048 bits; nothing before it does. */
async function weakIdentity(): Promise<TlsIdentity> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = await crypto.subtle.generateKey({ ...algorithm, modulusLength: 1024 }, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${nord}`,
    keys,
    signingAlgorithm: algorithm,
  });
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    name: 'group/weak',
    certificatePem: certificate.toString('pem'),
    keyPem: x509.PemConverter.encode(key, 'PRIVATE KEY'),
  };
}

test("what Envoy refuses stands on its link in Envoy's words; its former settings and all others are served", async () => {
  const before = await serialServed(stage, nord);
  const limits = { maxConnections: 11, maxRequests: 11 };
  const bad = withHost(stage.plan, nord, { identity: await weakIdentity() });
  await stage.ingress().apply(withHost(bad, sud, { limits }));
  await stage.until('the refusal', () => stage.observed('group/pacs-nord')?.reason === 'RejectedByProxy');
  assert.match(stage.observed('group/pacs-nord')?.message ?? '', /2048-bit/);
  await stage.until('the other', () => stage.observed('group/pacs-sud')?.reason === 'Programmed');
  assert.is(await serialServed(stage, nord), before);
  assert.is((await call(stage, { sni: sud, client: stage.client })).status, 200);
  await stage.apply(stage.plan);
});

test('a listener that Envoy refuses is searched until the link is found; the others get what they asked', async () => {
  // A wildcard that is none: nothing but the proxy knows its rules for names.
  const broken = withHost(stage.plan, 'vi.nord.example', { fqdn: 'vi*.nord.example' });
  await stage.ingress().apply(withHost(broken, sud, { limits: { maxConnections: 12, maxRequests: 12 } }));
  await stage.until('the refusal', () => stage.observed('group/pacs-nord')?.reason === 'RejectedByProxy');
  assert.match(stage.observed('group/pacs-nord')?.message ?? '', /wildcard/);
  await stage.until('the other', () => stage.observed('group/pacs-sud')?.reason === 'Programmed');
  assert.is((await call(stage, { sni: nord, client: stage.client })).status, 200);
  await stage.apply(stage.plan);
});

test('a proxy that died comes back with everything, a refused link held back', async () => {
  await stage.ingress().apply(withHost(stage.plan, nord, { identity: await weakIdentity() }));
  await stage.until('the refusal', () => stage.observed('group/pacs-nord')?.reason === 'RejectedByProxy');
  const pid = stage.supervisor.state('envoy')?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await stage.until('another', () => ![undefined, pid].includes(stage.supervisor.state('envoy')?.pid));
  for (const sni of [nord, sud]) await stage.until(`${sni} served`, async () => await isOpen(stage, sni));
  await stage.apply(stage.plan);
});

test('a new link that Envoy refuses: the others are served from the first moment, and get their next CRL', async () => {
  const other = await openStage();
  try {
    const bad = withHost(other.plan, nord, { identity: await weakIdentity() });
    await other.ingress().apply(bad);
    await other.until('the refusal', () => other.observed('group/pacs-nord')?.reason === 'RejectedByProxy');
    assert.match(other.observed('group/pacs-nord')?.message ?? '', /it is not served; .*2048-bit/);
    await other.until('the other', () => other.observed('group/pacs-sud')?.reason === 'Programmed');
    const ask = async (sni: string): Promise<number> =>
      await call(other, { sni, client: other.client }).then(
        ({ status }) => status,
        () => 0,
      );
    await other.until('served', async () => (await ask(sud)) === 200);
    assert.is(await ask(nord), 0);
    await other.pki.revoke(other.client);
    await other.ingress().apply({ ...bad, trusts: [other.trust()] });
    await other.until('revoked', async () => (await ask(sud)) === 0);
    const client = await other.pki.issue({ commonName: 'b', organizationalUnit: '1', kind: 'SERV_SSL' });
    await other.apply({ ...other.plan, trusts: [other.trust()] });
    await other.until('served', async () => (await call(other, { sni: nord, client }).catch(() => 0)) !== 0);
    assert.is((await call(other, { sni: sud, client })).status, 200);
  } finally {
    await other.stop();
  }
});

test('a port that another program has is said on every link, and taken as soon as it is free', async () => {
  const other = await openStage();
  const occupant = createServer().listen(other.port, '127.0.0.1');
  try {
    await once(occupant, 'listening');
    await other.ingress().apply(other.plan);
    for (const link of ['group/pacs-nord', 'group/pacs-sud'])
      await other.until('the refusal', () => /cannot bind/.test(other.observed(link)?.message ?? ''));
    occupant.close();
    await once(occupant, 'close');
    const programmed = (): boolean => [...other.ingress().observe().values()].every(({ status }) => status === 'True');
    await other.until('all programmed', programmed);
  } finally {
    occupant.close();
    await other.stop();
  }
});

test.run();
