/** What a change may touch, with a real Envoy: the link it concerns, and nothing under way. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Agent as HttpsAgent, Agent, get } from 'node:https';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { call, isClosed, isOpen, serialServed, target } from './call.testing.ts';
import { certificateName } from './resources/names.ts';
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
  const outgoing = get({ ...target(stage, `db.${name}.example`), agent: false });
  const answered = once(outgoing, 'response');
  const response = await begun;
  const [incoming] = (await answered) as [IncomingMessage];
  incoming.on('data', (part: Buffer) => (received += part.length));
  const ended = once(incoming, 'end').then(() => undefined);
  ended.catch(() => undefined); // whoever waits for it sees it
  return { response, received: () => received, ended };
}

async function finish({ response, received, ended }: Download): Promise<void> {
  const part = Buffer.alloc(1_000_000);
  const before = received();
  for (let sent = 0; sent < 20; sent += 1) if (!response.write(part)) await once(response, 'drain');
  response.end();
  await ended;
  assert.is(received(), before + 20 * part.length);
}

test('a certificate replaced while a long download runs: it finishes, new connections see the new one', async () => {
  const download = await startDownload('nord');
  const issued = await stage.pki.issue({ commonName: nord, organizationalUnit: '1750000001', kind: 'SERV_SSL' });
  const changes = await stage.stat('listener_manager.listener_in_place_updated');
  await stage.apply(withHost(stage.plan, nord, { identity: identityOf(issued) }));
  await stage.until(
    'the new certificate',
    async () => (await serialServed(stage, nord)) === issued.certificate.serialNumber,
  );
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
    const outgoing = get({ ...target(stage, sud), agent });
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
  await stage.until('open', async () => await isOpen(stage, nord));
});

test('a link that goes finishes its answers, and its name is closed to new connections', async () => {
  const download = await startDownload('nord');
  await stage.apply({ ...stage.plan, hosts: stage.plan.hosts.filter(({ link }) => link !== 'group/pacs-nord') });
  await stage.until('closed', async () => await isClosed(stage, nord));
  await finish(download);
  await stage.apply(stage.plan);
});

test('without its control plane the proxy goes on; a new one takes over and nothing is dropped', async () => {
  const download = await startDownload('nord');
  const pid = stage.supervisor.state('envoy')?.pid;
  await stage.detach();
  await stage.until('the disconnection', async () => (await stage.stat('control_plane.connected_state')) === 0);
  assert.is((await call(stage, { sni: sud, client: stage.client })).status, 200);
  const pushed = await stage.stat(`sds.${certificateName(sud)}.update_attempt`);
  const drained = await stage.stat('listener_manager.listener_in_place_updated');
  await stage.attach();
  await stage.apply(stage.plan);
  assert.is(await stage.stat('listener_manager.listener_in_place_updated'), drained, 'the listener was not touched');
  assert.ok((await stage.stat(`sds.${certificateName(sud)}.update_attempt`)) > pushed, 'the secret came again');
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

test('an empty plan closes everything, and the next one opens it again', async () => {
  await stage.apply({ ...stage.plan, hosts: [], trusts: [] });
  await stage.until('closed', async () => await isClosed(stage, sud));
  await stage.apply(stage.plan);
  await stage.until('open', async () => await isOpen(stage, sud));
});

test.run();
