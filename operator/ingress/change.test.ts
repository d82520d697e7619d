/** What a change may touch, with a real Envoy: the link it concerns, and nothing under way. */
import 'reflect-metadata';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Agent as HttpsAgent, Agent, get } from 'node:https';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TlsIdentity } from '../plan/ingress-plan.ts';
import { call } from './call.testing.ts';
import { type Stage, openStage } from './stage.testing.ts';
import { identityOf, withHost } from './world.testing.ts';

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

/** An answer under way: as much as sent so far has arrived. */
interface Download {
  /** The gateway's side. */
  readonly response: ServerResponse;
  readonly received: () => number;
  readonly ended: Promise<void>;
}

async function startDownload(name: 'nord' | 'sud'): Promise<Download> {
  const gateway = stage.gateways[name];
  const begun = new Promise<ServerResponse>((resolve) => {
    gateway.handler = (_request, response) => {
      gateway.handler = (_next, other) => other.end(name);
      response.write('begin');
      resolve(response);
    };
  });
  let received = 0;
  const outgoing = get({ ...target(`db.${name}.example`), agent: false });
  const answered = once(outgoing, 'response');
  const response = await begun;
  const [incoming] = (await answered) as [IncomingMessage];
  incoming.on('data', (part: Buffer) => (received += part.length));
  const ended = once(incoming, 'end').then(() => undefined);
  ended.catch(() => undefined); // whoever waits for it sees it
  return { response, received: () => received, ended };
}

function target(fqdn: string): {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rejectUnauthorized: boolean;
  readonly cert: string;
  readonly key: string;
} {
  return {
    host: '127.0.0.1',
    port: stage.port,
    servername: fqdn,
    headers: { host: fqdn },
    rejectUnauthorized: false,
    cert: stage.client.chainPem,
    key: stage.client.keyPem,
  };
}

async function finish({ response, received, ended }: Download): Promise<void> {
  const part = Buffer.alloc(1_000_000);
  const before = received();
  for (let sent = 0; sent < 20; sent += 1) if (!response.write(part)) await once(response, 'drain');
  response.end();
  await ended;
  assert.is(received(), before + 20 * part.length);
}

async function isClosed(sni: string): Promise<boolean> {
  return await call(stage, { sni, client: stage.client }).then(
    () => false,
    () => true,
  );
}

async function isOpen(sni: string): Promise<boolean> {
  return await call(stage, { sni, client: stage.client }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

async function serialServed(fqdn: string): Promise<string> {
  const socket = connect(target(fqdn));
  await once(socket, 'secureConnect');
  const serial = socket.getPeerX509Certificate()?.serialNumber ?? '';
  socket.destroy();
  return serial.toLowerCase();
}

test('a certificate replaced while a long download runs: it finishes, new connections see the new one', async () => {
  const download = await startDownload('nord');
  const issued = await stage.pki.issue({ commonName: nord, organizationalUnit: '1750000001', kind: 'SERV_SSL' });
  const changes = await stage.stat('listener_manager.listener_in_place_updated');
  await stage.apply(withHost(stage.plan, nord, { identity: identityOf(issued) }));
  await stage.until('the new certificate', async () => (await serialServed(nord)) === issued.certificate.serialNumber);
  assert.is(await stage.stat('listener_manager.listener_in_place_updated'), changes, 'the listener was not touched');
  await finish(download);
  await stage.apply(stage.plan);
});

test('a new CRL, a gateway that moved and a new internal identity: nothing under way is cut', async () => {
  const download = await startDownload('nord');
  const moved = withHost(stage.plan, nord, {
    upstream: { host: 'localhost', port: stage.gateways.nord.port, serverName: 'nord.gateway.internal' },
  });
  const internal = { ...stage.plan.internal, caPem: `${stage.plan.internal.caPem}${stage.plan.internal.caPem}` };
  await stage.pki.writeCrl(stage.pki.servers);
  await stage.apply({ ...moved, internal, trusts: [stage.trust()] });
  assert.is((await call(stage, { sni: nord, client: stage.client })).status, 200);
  await finish(download);
  await stage.apply(stage.plan);
});

test("one link changed, added or removed: another's connections live on", async () => {
  const agent: HttpsAgent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (): Promise<boolean> => {
    const outgoing = get({ ...target(sud), agent });
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return outgoing.reusedSocket;
  };
  const download = await startDownload('sud');
  await ask();
  const without = { ...stage.plan, hosts: stage.plan.hosts.filter(({ link }) => link !== 'group/pacs-nord') };
  for (const plan of [
    withHost(stage.plan, nord, { limits: { maxConnections: 9, maxRequests: 9 } }),
    without,
    stage.plan,
  ]) {
    await stage.apply(plan);
    assert.ok(await ask(), 'the same connection');
  }
  agent.destroy();
  await finish(download);
  await stage.until('open', async () => await isOpen(nord));
});

test('a link that goes finishes its answers, and its name is closed to new connections', async () => {
  const download = await startDownload('nord');
  await stage.apply({ ...stage.plan, hosts: stage.plan.hosts.filter(({ link }) => link !== 'group/pacs-nord') });
  await stage.until('closed', async () => await isClosed(nord));
  await finish(download);
  await stage.apply(stage.plan);
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
  const before = await serialServed(nord);
  const limits = { maxConnections: 11, maxRequests: 11 };
  const bad = withHost(stage.plan, nord, { identity: await weakIdentity() });
  await stage.ingress().apply(withHost(bad, sud, { limits }));
  await stage.until('the refusal', () => stage.observed('group/pacs-nord')?.reason === 'RejectedByProxy');
  assert.match(stage.observed('group/pacs-nord')?.message ?? '', /2048-bit/);
  await stage.until('the other', () => stage.observed('group/pacs-sud')?.reason === 'Programmed');
  assert.is(await serialServed(nord), before);
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

test('without its control plane the proxy goes on; a new one takes over and nothing is dropped', async () => {
  const download = await startDownload('nord');
  const pid = stage.supervisor.state('envoy')?.pid;
  await stage.detach();
  await stage.until('the disconnection', async () => (await stage.stat('control_plane.connected_state')) === 0);
  assert.is((await call(stage, { sni: sud, client: stage.client })).status, 200);
  const pushed = await stage.stat(`sds.certificate/${sud}.update_attempt`);
  const drained = await stage.stat('listener_manager.listener_in_place_updated');
  await stage.attach();
  await stage.apply(stage.plan);
  assert.is(await stage.stat('listener_manager.listener_in_place_updated'), drained, 'the listener was not touched');
  assert.ok((await stage.stat(`sds.certificate/${sud}.update_attempt`)) > pushed, 'the secret came again');
  assert.is(stage.supervisor.state('envoy')?.pid, pid);
  await finish(download);
});

test('handshakes that fail while no operator runs are told by the next one, once; the files are bounded meanwhile', async () => {
  const from = '127.0.3.1';
  const told = (): number => stage.failures.filter(({ peer }) => peer === from).length;
  await stage.detach();
  for (let count = 0; count < 3; count += 1) assert.not.ok(await call(stage, { sni: nord, from }).catch(() => false));
  assert.is(told(), 0);
  await stage.attach();
  await stage.apply(stage.plan);
  await stage.until('all of them', () => told() === 3);
  await stage.detach();
  await stage.attach();
  await stage.apply(stage.plan);
  assert.not.ok(await call(stage, { sni: nord, from }).catch(() => false));
  await stage.until('one more', () => told() > 3);
  assert.is(told(), 4, 'none is told again');
  const pid = stage.supervisor.state('envoy')?.pid ?? 0;
  assert.match(readFileSync(`/proc/${pid}/limits`, 'latin1'), /^Max file size +67108864 +67108864 /m);
  const ignored = /^SigIgn:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '';
  assert.is((BigInt(`0x${ignored}`) >> 24n) & 1n, 1n, 'SIGXFSZ does not end it');
});

test('a proxy that died comes back with everything, a refused link held back', async () => {
  await stage.ingress().apply(withHost(stage.plan, nord, { identity: await weakIdentity() }));
  await stage.until('the refusal', () => stage.observed('group/pacs-nord')?.reason === 'RejectedByProxy');
  const pid = stage.supervisor.state('envoy')?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await stage.until('another', () => ![undefined, pid].includes(stage.supervisor.state('envoy')?.pid));
  for (const sni of [nord, sud]) await stage.until(`${sni} served`, async () => await isOpen(sni));
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

test('an empty plan closes everything, and the next one opens it again', async () => {
  await stage.apply({ ...stage.plan, hosts: [], trusts: [] });
  await stage.until('closed', async () => await isClosed(sud));
  await stage.apply(stage.plan);
  await stage.until('open', async () => await isOpen(sud));
});

test.run();
