/** `drimbox up --metrics` with a real Envoy, gateway and signed list: what Prometheus and `drimbox status --events` get. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ofGateways } from '../charts/expressions.ts';
import { judgeMetrics } from '../judges/prometheus.ts';
import { writeGroup } from '../parts/group.ts';
import { type EventSeen, type RunningOperator, gatewayPage, startOperator } from '../parts/operator.ts';
import { type Issued, createPki } from '../parts/pki.ts';
import { freePort } from '../parts/ports.ts';
import { type WhitelistServer, signWhitelist, startWhitelistServer } from '../parts/whitelist.ts';
import { until } from './site.ts';

const work = mkdtempSync(join(tmpdir(), 'drimbox-metrics-'));
const directory = join(work, 'resources');
const state = join(work, 'state');
const structure = { id: '1750000001', name: 'Centre d’essai' };
const fqdn = 'db1.site.example';

let operator: RunningOperator;
let whitelist: WhitelistServer;
let publicPort: number;
let metricsPort: number;

async function page(path: string): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}${path}`);
  return { status: response.status, body: await response.text() };
}

/** Value of the sample whose text before the value is this. */
async function value(series: string): Promise<number | undefined> {
  const { body } = await page('/metrics');
  const line = body.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

function eventOf(name: string, subject: string): EventSeen | undefined {
  return operator.status()?.events?.find((one) => one.event === name && one.subject === subject);
}

test.before(async () => {
  const pki = await createPki(join(work, 'pki'));
  const issue = async (commonName: string, kind: 'SERV_SSL' | 'MARKET' | 'AUTH_CLI' | 'SIGN'): Promise<Issued> =>
    await pki.issue({ commonName, organizationalUnit: structure.id, kind });
  const signer = await pki.issue({
    commonName: 'Liste Blanche DRIM-M',
    organizationalUnit: '318751275100020',
    kind: 'SIGN',
  });
  const domains = [{ db: fqdn, vi: 'vi1.site.example', commonName: fqdn, organizationalUnit: structure.id }];
  whitelist = await startWhitelistServer(pki, signWhitelist({ domains, signer, pki }));
  publicPort = await freePort();
  metricsPort = await freePort();
  writeGroup(directory, {
    namespace: 'group',
    pki,
    whitelistUrl: whitelist.listUrl,
    signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' },
    crlUrls: whitelist.crlUrls,
    dmpUrl: 'https://127.0.0.1:1/services',
    introspection: { url: 'https://127.0.0.1:1/i', clientId: 'drimbox', certificate: await issue('psc', 'AUTH_CLI') },
    publicPort,
    sites: [
      {
        name: 'nord',
        structure,
        sourceId: '2.25.1',
        sendingApplication: 'RIS',
        mllpPort: await freePort(),
        dimsePort: await freePort(),
        authentication: await issue('auth', 'AUTH_CLI'),
        signature: await issue('sign', 'SIGN'),
        links: [
          {
            name: 'pacs',
            pacs: { host: '127.0.0.1', port: await freePort(), aeTitle: 'PACS' },
            callingAeTitle: 'DRIM',
            aeTitlePool: ['DRIM1'],
            maxConcurrentMoves: 1,
            retrieveLocationUid: '2.25.2',
            db: { fqdn, certificate: await issue(fqdn, 'SERV_SSL') },
            vi: { fqdn: 'vi1.site.example', certificate: await issue('vi1.site.example', 'MARKET') },
          },
        ],
      },
    ],
  });
  operator = await startOperator({
    directory,
    state,
    publicPort,
    metricsPort,
    logFile: join(work, 'operator.log'),
  });
});

test.after(async () => {
  await operator.stop();
  await whitelist.close();
  rmSync(work, { recursive: true, force: true });
});

test('the operator is alive and ready, and the list, the CRLs, the link and the processes have their series', async () => {
  await until('the link programmed', async () => (await value('drimbox_ingress_links{state="programmed"}')) === 1);
  await until(
    'the list',
    async () => (await value('drimbox_resource_ready{kind="TrustSpace",namespace="",name="test"}')) === 1,
  );
  assert.equal([(await page('/livez')).status, (await page('/readyz')).status], [200, 200]);
  const now = Date.now() / 1000;
  assert.is(await value('drimbox_whitelist_domains{trust_space="test"}'), 1);
  assert.ok(((await value('drimbox_whitelist_confirmed_timestamp_seconds{trust_space="test"}')) ?? 0) <= now);
  assert.ok(((await value('drimbox_crl_expiration_timestamp_seconds{trust_space="test"}')) ?? 0) > now);
  const site = 'kind="DrimboxSite",namespace="group",name="nord"';
  await until(
    'the gateway',
    async () => (await value(`drimbox_condition{${site},type="WorkloadAvailable",status="True"}`)) === 1,
  );
  const link = 'kind="PacsLink",namespace="group",name="pacs"';
  assert.ok(((await value(`drimbox_certificate_expiration_timestamp_seconds{${link}}`)) ?? 0) > now);
  assert.is(await value(`drimbox_condition{${link},type="IngressProgrammed",status="True"}`), 1);
  for (const process of ['envoy', 'gateway group/nord']) {
    assert.is(await value(`drimbox_process_up{process="${process}"}`), 1);
    assert.is(await value(`drimbox_process_restarts_total{process="${process}"}`), 0);
  }
  for (const event of ['WhitelistAccepted', 'CrlRefreshed', 'LinkProgrammed', 'PlanApplied'])
    assert.ok(((await value(`drimbox_operator_event_total{event="${event}"}`)) ?? 0) >= 1, event);
  assert.ok(eventOf('WhitelistAccepted', 'TrustSpace test'));
  assert.ok(eventOf('LinkProgrammed', 'PacsLink group/pacs'));
});

test("promtool finds nothing wrong with the operator's metrics nor with the gateway's", async () => {
  assert.equal(judgeMetrics((await page('/metrics')).body), []);
  const gateway = await gatewayPage(state, 'group/nord', '/metrics');
  assert.match(gateway, 'drimbox_messages_total');
  assert.equal(judgeMetrics(gateway), []);
});

test('every series of gateways that alerts and dashboard ask for is on the page of this one', async () => {
  const gateway = await gatewayPage(state, 'group/nord', '/metrics');
  assert.ok(ofGateways.length >= 3);
  assert.equal(
    ofGateways.filter((name) => !new RegExp(`^${name}\\{`, 'm').test(gateway)),
    [],
  );
});

test('the judge of metrics refuses what is wrong', () => {
  const good = '# HELP a_total x\n# TYPE a_total counter\na_total{b="c"} 1\n';
  assert.equal(judgeMetrics(good), []);
  for (const bad of [
    good.trimEnd(),
    good.replaceAll('a_total', 'a'),
    good.replace('counter', 'gauge'),
    good.replace('# HELP a_total x\n', ''),
    good.replace('"c"', 'c'),
    `${good}a_total{b="c"} 2\n`,
  ])
    assert.ok(judgeMetrics(bad).length > 0, bad);
});

test('a caller without certificate is counted by its reason and told with its link, E1101, once with a count', async () => {
  const refused = 'drimbox_handshake_refused_total{reason="no_certificate"}';
  assert.is(await value(refused), 0);
  for (let time = 0; time < 3; time += 1) await handshake();
  await until('the refusals', async () => (await value(refused)) === 3);
  const told = (): EventSeen | undefined => eventOf('HandshakeRefused', 'PacsLink group/pacs');
  await until('the event', () => told()?.count === 3);
  assert.is(told()?.reason, 'no_certificate');
  assert.match(told()?.message ?? '', 'E1101');
});

test('a gateway that dies is counted, and its end and its new start are told', async () => {
  const name = 'gateway group/nord';
  const before = operator.status()?.processes.find((one) => one.name === name)?.pid ?? 0;
  process.kill(before, 'SIGKILL');
  const restarts = `drimbox_process_restarts_total{process="${name}"}`;
  await until('the restart', async () => (await value(restarts)) === 1);
  await until('its end', () => eventOf('ProcessEnded', name)?.count === 1);
  await until('its start', () => eventOf('ProcessStarted', name)?.count === 2);
});

test('a file that breaks is counted and told, and good again it is silent', async () => {
  const file = join(directory, 'nord.yaml');
  const good = readFileSync(file, 'utf8');
  writeFileSync(file, good.replace('trustSpace: test', 'trustSpace: [test'));
  await until('the fault', async () => (await value('drimbox_operator_file_faults')) === 1);
  assert.match(eventOf('FileRefused', 'nord.yaml')?.message ?? '', /nord\.yaml:\d+/);
  writeFileSync(file, good);
  await until('no fault', async () => (await value('drimbox_operator_file_faults')) === 0);
});

test('drimbox status --events shows them, and --metrics that is no address is wrong usage', () => {
  const main = join(import.meta.dirname, '../../operator/main.ts');
  const { stdout } = spawnSync(process.execPath, [main, 'status', '--state', state, '--events'], { encoding: 'utf8' });
  assert.match(stdout, /^LAST\s+COUNT\s+FIRST\s+LEVEL\s+EVENT\s+SUBJECT\s+WHAT/);
  assert.match(stdout, /\s3\s.*warn\s+HandshakeRefused\s+PacsLink group\/pacs\s+no_certificate: E1101/);
  assert.throws(() =>
    execFileSync(process.execPath, [main, 'up', '-f', directory, '--metrics', 'nowhere'], { stdio: 'ignore' }),
  );
});

test('an operator that cannot start ends, its pages too: state folder or port taken', async () => {
  const main = join(import.meta.dirname, '../../operator/main.ts');
  const start = (folder: string, port: number): { readonly status: number | null; readonly stderr: string } =>
    spawnSync(
      process.execPath,
      [main, 'up', '-f', directory, '--state', folder, '--envoy', '', '--metrics', `127.0.0.1:${port}`],
      { encoding: 'utf8', timeout: 60_000 },
    );
  const second = start(state, await freePort());
  assert.is(second.status, 1);
  assert.match(second.stderr, 'already works on');
  const taken = start(join(work, 'other'), metricsPort);
  assert.is(taken.status, 1);
  assert.match(taken.stderr, `EADDRINUSE: address already in use 127.0.0.1:${metricsPort}`);
});

/** Asks for the db FQDN as anybody could; settles when the proxy has closed. */
async function handshake(): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: publicPort, servername: fqdn, rejectUnauthorized: false });
    socket.once('close', () => resolve());
    socket.on('error', () => socket.destroy()); // the alert that is hoped for
    socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\n\r\n')); // TLS 1.3 refuses after its first flight
  });
}

test.run();
