/** Several real Envoys on one control plane over mutual TLS, as in a cluster. */
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../e2e/parts/ports.ts';
import { createSupervisor } from '../infrastructure/host/supervisor.ts';
import { emptyInternalState, internalBundle, renewInternal } from '../trust/internal-authority.ts';
import { call } from './call.testing.ts';
import { type Proxy, type ProxySite, page, startProxy } from './cluster-proxy.testing.ts';
import type { ControlTls, IngressControl } from './ingress-control.ts';
import { startIngressControl } from './start-control.ts';
import { type World, openWorld, withHost } from './world.testing.ts';

const xdsName = 'xds.drimbox.internal';
const proxyName = 'proxy.drimbox.internal';
const db = 'db.nord.example';
const folder = mkdtempSync(join(tmpdir(), 'drimbox-cluster-'));
const supervisor = createSupervisor({ random: () => 0, now: Date.now, onEvent: () => undefined });
const turnedAway: unknown[] = [];
const identityFolder = join(folder, 'identity');
let world: World;
let control: IngressControl;
let tls: ControlTls;
let xdsPort = 0;

/** The authority of the hop, and who proves to be whom to whom. */
async function internal(): Promise<{
  readonly server: ControlTls;
  readonly proxy: Record<'cert' | 'key' | 'ca', string>;
}> {
  const state = await renewInternal(emptyInternalState, [xdsName, proxyName], new Date());
  const [server, proxy] = [state.leaves[xdsName], state.leaves[proxyName]];
  if (server === undefined || proxy === undefined) throw new Error('no internal certificate');
  const caPem = internalBundle(state);
  return {
    server: { ...server, caPem, clientName: proxyName },
    proxy: { cert: proxy.certificatePem, key: proxy.keyPem, ca: caPem },
  };
}

let generation = 0;

/** As a kubelet does: a new folder, and a link that turns to it at once. */
function mountIdentity({ cert, key, ca }: Record<'cert' | 'key' | 'ca', string>): void {
  mkdirSync(identityFolder, { recursive: true });
  const data = join(folder, `identity-${(generation += 1)}`);
  mkdirSync(data);
  for (const [name, text] of Object.entries({ 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca }))
    writeFileSync(join(data, name), text);
  const link = join(identityFolder, '..data');
  symlinkSync(data, `${link}.new`);
  renameSync(`${link}.new`, link);
  for (const name of ['tls.crt', 'tls.key', 'ca.crt'])
    if (!existsSync(join(identityFolder, name))) symlinkSync(join('..data', name), join(identityFolder, name));
}

async function open(): Promise<IngressControl> {
  return await startIngressControl({
    endpoint: { host: '127.0.0.1', port: xdsPort, tls },
    listen: { host: '127.0.0.1', port: 0 }, // a pod has an address of its own; here each proxy takes a free port
    onChange: () => undefined,
    onConnectionFailure: () => undefined,
    onEvent: (what, fields) => {
      if (what.includes('turned away')) turnedAway.push(fields);
    },
  });
}

async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await look()) return;
    await sleep(50);
  }
  const seen = JSON.stringify([[...control.observe()], control.proxies(), turnedAway]);
  throw new Error(`${what} did not come: ${seen}`);
}

const isProgrammed = (): boolean => [...control.observe().values()].every(({ status }) => status === 'True');
/** What was said with two proxies. */
let ofTwo: unknown;
const told = (): unknown => control.observe().get('group/pacs-nord');

async function serves(proxy: Proxy): Promise<boolean> {
  const port = await proxy.port();
  return await call({ port }, { sni: db, client: world.client }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** An answer that is not over until `finish`, which checks that all of it came. */
async function startDownload(proxy: Proxy): Promise<() => Promise<void>> {
  const { nord } = world.gateways;
  const begun = new Promise<ServerResponse>((resolve) => {
    nord.handler = (_request, response) => {
      nord.handler = (_next, other) => other.end('nord');
      response.write('begin');
      resolve(response);
    };
  });
  const { chainPem: cert, keyPem: key } = world.client;
  const target = { host: '127.0.0.1', port: await proxy.port(), servername: db, cert, key, rejectUnauthorized: false };
  const outgoing = get({ ...target, headers: { host: db }, agent: false });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  const response = await begun;
  const [incoming] = await answered;
  let received = 0;
  incoming.on('data', (part: Buffer) => (received += part.length));
  return async () => {
    const ended = once(incoming, 'end');
    response.end(Buffer.alloc(1_000_000));
    await ended;
    assert.is(received, 1_000_005);
  };
}

const site = (): ProxySite => ({ supervisor, folder, identityFolder, xdsPort, xdsName });
let [one, two]: Proxy[] = [];
function both(): readonly [Proxy, Proxy] {
  if (one === undefined || two === undefined) throw new Error('the proxies were not started');
  return [one, two];
}

test.before(async () => {
  world = await openWorld(folder);
  const made = await internal();
  tls = made.server;
  mountIdentity(made.proxy);
  xdsPort = await freePort();
  control = await open();
});

test.after(async () => {
  await Promise.all(supervisor.names().map(async (name) => await supervisor.remove(name)));
  await control.stop();
  world.close();
  rmSync(folder, { recursive: true });
});

test('no proxy connected is said as such; with two, programmed means acknowledged by both', async () => {
  await control.apply(world.plan);
  assert.is(control.observe().get('group/pacs-nord')?.reason, 'NoProxyConnected');
  [one, two] = [await startProxy('one', site()), await startProxy('two', site())];
  await until('programmed by both', () => isProgrammed() && control.proxies().acknowledged === 2);
  ofTwo = told();
  for (const proxy of both()) await until(`${proxy.name} serves`, async () => await serves(proxy));
});

test('probes and metrics are answered on their own port, and nothing else of the admin page', async () => {
  const [{ probePort }] = both();
  assert.equal(await page(probePort, '/ready'), { status: 200, body: 'LIVE\n' });
  assert.match((await page(probePort, '/stats/prometheus')).body, /envoy_server_live/);
  for (const path of ['/config_dump', '/quitquitquit', '/ready/../config_dump', '/stats/prometheus/..%2fconfig_dump'])
    assert.not.equal((await page(probePort, path)).status, 200, path);
});

test('one proxy killed: the other goes on and takes changes, and one that comes again gets everything', async () => {
  const [first, second] = both();
  await supervisor.remove(second.name);
  await until('one left', () => control.proxies().connected === 1);
  await control.apply(withHost(world.plan, db, { limits: { maxConnections: 9, maxRequests: 9 } }));
  await until('programmed', isProgrammed);
  assert.equal(told(), ofTwo, 'the same words: thousands of links would be told anew whenever a proxy comes or goes');
  assert.ok(await serves(first));
  two = await startProxy('two', site());
  await until('two again', () => isProgrammed() && control.proxies().acknowledged === 2);
  await until('it serves', async () => await serves(both()[1]));
});

test('certificates of the control plane replaced under traffic: no stream ends, new connections prove the new ones', async () => {
  const [first, second] = both();
  const finish = await startDownload(first);
  const connections = await first.stat('cluster.control-plane.upstream_cx_total');
  const made = await internal();
  tls = { ...made.server, caPem: `${made.server.caPem}${tls.caPem}` };
  mountIdentity({ ...made.proxy, ca: tls.caPem });
  control.replaceTls(tls);
  await control.apply(world.plan);
  await until('programmed', isProgrammed);
  assert.is(await first.stat('cluster.control-plane.upstream_cx_total'), connections);
  assert.is(control.proxies().connected, 2);
  await supervisor.remove(second.name);
  two = await startProxy('two', site());
  await until('it connects', () => isProgrammed() && control.proxies().acknowledged === 2);
  await finish();
});

test('another control plane with the same plan: no listener is drained, a download goes on, both come again', async () => {
  const [first] = both();
  const finish = await startDownload(first);
  const changes = async (): Promise<readonly number[]> =>
    await Promise.all(
      ['listener_in_place_updated', 'listener_modified', 'listener_added', 'listener_removed'].map(
        async (name) => await first.stat(`listener_manager.${name}`),
      ),
    );
  const before = await changes();
  await control.stop();
  await until('disconnected', async () => (await first.stat('control_plane.connected_state')) === 0);
  assert.ok(await serves(first), 'it serves without a control plane');
  control = await open();
  await control.apply(world.plan);
  await until('both again', () => isProgrammed() && control.proxies().acknowledged === 2);
  assert.equal(await changes(), before);
  await finish();
});

/** Bytes that someone gets who speaks HTTP/2 at the control plane. */
async function bytesFor(who: { readonly cert?: string; readonly key?: string }): Promise<number> {
  const socket = connect({
    host: '127.0.0.1',
    port: xdsPort,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...who,
  });
  let received = 0;
  socket.on('data', (part: Buffer) => (received += part.length));
  socket.on('error', () => undefined); // turned away: what is asked is how much came before
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0', 'latin1');
  const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
  const limit = new AbortController();
  const open = sleep(2_000, false, { signal: limit.signal }).catch(() => false);
  if (!(await Promise.race([closed, open])) && received === 0) throw new Error('neither answered nor closed');
  limit.abort();
  socket.destroy();
  return received;
}

test('a proxy started by an operator of another version keeps what it has, and is told of', async () => {
  turnedAway.length = 0;
  const old = await startProxy('old', { ...site(), generation: '1' });
  await until('turned away', () => turnedAway.length > 0);
  assert.equal(turnedAway[0], { why: 'its bootstrap is of generation 1, not 2: start it anew', peer: 'old' });
  await until('two are left', () => isProgrammed() && control.proxies().connected === 2);
  await supervisor.remove(old.name);
});

test('who has no certificate, a foreign one, or one of another name hears not a byte', async () => {
  const foreign = await internal();
  const state = await renewInternal(emptyInternalState, ['gateway.internal', xdsName, proxyName], new Date());
  const [gateway, server, proxy] = ['gateway.internal', xdsName, proxyName].map((name) => state.leaves[name]);
  if (gateway === undefined || server === undefined || proxy === undefined) throw new Error('no certificate');
  tls = { ...server, caPem: `${tls.caPem}${internalBundle(state)}`, clientName: proxyName };
  control.replaceTls(tls);
  assert.ok((await bytesFor({ cert: proxy.certificatePem, key: proxy.keyPem })) > 0, 'the right one is answered');
  assert.is(await bytesFor({}), 0);
  assert.is(await bytesFor({ cert: foreign.proxy.cert, key: foreign.proxy.key }), 0);
  turnedAway.length = 0;
  assert.is(await bytesFor({ cert: gateway.certificatePem, key: gateway.keyPem }), 0);
  assert.equal(turnedAway, [{ why: `its certificate is not of ${proxyName}`, peer: '127.0.0.1' }]);
  assert.is(control.proxies().connected, 2, 'those that are in stay in');
});

test.run();
