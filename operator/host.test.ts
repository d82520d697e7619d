/** The operator on one host, with real processes in the gateways' place: what it starts, what it leaves alone. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLog } from '../common/observability/log.ts';
import type { Whitelist } from '../common/whitelist/whitelist.ts';
import { type GroupSpec, writeGroup, writeSecret } from '../e2e/parts/group.ts';
import { type Issued, type Pki, createPki } from '../e2e/parts/pki.ts';
import { freePort } from '../e2e/parts/ports.ts';
import { isGood, writeStatus } from './cli/status.ts';
import type { StatusDocument } from './controllers/status-document.ts';
import { type HostOperator, startOnHost } from './host.ts';
import { createOperatorJournal } from './observability/journal.ts';
import { createOperatorMetrics } from './observability/metrics.ts';
import type { IngressPlan } from './plan/ingress-plan.ts';

const root = mkdtempSync(join(tmpdir(), 'drimbox-host-'));
const directory = join(root, 'resources');
const state = join(root, 'state');

let pki: Pki;
let operator: HostOperator;
let status: StatusDocument | undefined;
let ingressPlan: IngressPlan | undefined;
let next: Issued;

const list: Whitelist = {
  generatedAt: '2026-01-01T00:00:00Z',
  signedAt: '2026-01-01T00:00:00Z',
  signer: { commonName: 'a', organizationalUnit: 'b', issuer: 'c', serial: '1', notAfter: '2036-01-01T00:00:00Z' },
  revocation: 'good',
  domains: [],
};

async function start(): Promise<HostOperator> {
  const log = createLog('error');
  return await startOnHost({
    directory,
    stateDirectory: state,
    siteAddress: '127.0.0.1',
    listen: { host: '127.0.0.1', port: 1 },
    gatewayCommand: [process.execPath, join(import.meta.dirname, '../e2e/parts/tiny-gateway.ts')],
    software: { name: 'drimbox', version: '0.0.0' },
    // What the signature says is tested with common/whitelist; here it is enough that something was judged good.
    verifyWhitelist: async (xml) =>
      await Promise.resolve(
        xml.byteLength > 0 ? { accepted: true, whitelist: list } : { accepted: false, reason: 'Empty', detail: '' },
      ),
    envoy: async () =>
      await Promise.resolve({
        apply: async (plan) => {
          ingressPlan = plan;
          await Promise.resolve();
        },
        observe: () =>
          new Map(
            (ingressPlan?.hosts ?? []).map(({ link }) => [link, { status: 'True', reason: 'Programmed', message: '' }]),
          ),
        detach: async () => await Promise.resolve(),
        stop: async () => await Promise.resolve(),
      }),
    log,
    journal: createOperatorJournal({
      log,
      metrics: createOperatorMetrics(() => status),
      now: () => new Date(),
      former: [],
    }),
    now: () => new Date(),
    random: () => 0,
    periodMs: 200,
    onStatus: (document) => (status = document),
  });
}

/** Waits for what must come; how long it takes is not asserted. */
async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await sleep(50);
  }
  throw new Error(`${what} did not come: ${JSON.stringify(status, undefined, 1)}`);
}

function pidOf(site: string): number | undefined {
  return status?.processes.find(({ name }) => name === `gateway group/${site}`)?.pid;
}

function revisionOf(site: string): unknown {
  return status?.resources.find(({ key, kind }) => kind === 'DrimboxSite' && key === `group/${site}`)?.fields[
    'revision'
  ];
}

function conditionOf(kind: string, key: string, type: string): string | undefined {
  return status?.resources.find((r) => r.kind === kind && r.key === key)?.conditions.find((c) => c.type === type)
    ?.reason;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // ESRCH
  }
}

function edit(file: string, from: string | RegExp, to: string): void {
  const path = join(directory, file);
  const text = readFileSync(path, 'utf8');
  assert.match(text, from);
  writeFileSync(path, text.replace(from, to));
}

async function allReady(): Promise<void> {
  await until('all ready', () => status !== undefined && isGood(status));
}

test.before(async () => {
  pki = await createPki(join(root, 'pki'));
  const issue = async (commonName: string, kind: 'SERV_SSL' | 'MARKET' | 'AUTH_CLI' | 'SIGN'): Promise<Issued> =>
    await pki.issue({ commonName, organizationalUnit: '1750000001', kind });
  const site = async (name: string): Promise<GroupSpec['sites'][number]> => ({
    name,
    structure: { id: '1750000001', name },
    sourceId: '1.2.250.1.999.1',
    sendingApplication: `RIS-${name}`,
    mllpPort: await freePort(),
    dimsePort: await freePort(),
    authentication: await issue('auth', 'AUTH_CLI'),
    signature: await issue('sign', 'SIGN'),
    links: [
      {
        name: `pacs-${name}`,
        pacs: { host: '127.0.0.1', port: 104, aeTitle: 'PACS' },
        callingAeTitle: 'DRIM',
        aeTitlePool: ['DRIM1'],
        maxConcurrentMoves: 1,
        retrieveLocationUid: '1.2.250.1.999.2',
        db: { fqdn: `db.${name}.example`, certificate: await issue(`db.${name}.example`, 'SERV_SSL') },
        vi: { fqdn: `vi.${name}.example`, certificate: await issue(`vi.${name}.example`, 'MARKET') },
      },
    ],
  });
  writeGroup(directory, {
    namespace: 'group',
    pki,
    whitelistUrl: 'http://127.0.0.1:1/list.xml',
    signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '1' },
    crlUrls: ['http://127.0.0.1:1/crl'],
    dmpUrl: 'https://127.0.0.1:1/services',
    introspection: { url: 'https://127.0.0.1:1/i', clientId: 'drimbox', certificate: await issue('psc', 'AUTH_CLI') },
    publicPort: 443,
    sites: [await site('nord'), await site('sud')],
  });
  next = await issue('db.nord.example', 'SERV_SSL');
  // No network in this test: the list and the CRLs stand in the directory.
  const crls = readFileSync(pki.crlBundleFile, 'utf8').replaceAll(/^/gm, '            ');
  edit('trust-space.yaml', /url: http:\/\/127\.0\.0\.1:1\/list\.xml/, 'document: { inline: <list/> }');
  edit('trust-space.yaml', /- url: http:\/\/127\.0\.0\.1:1\/crl/, `- inline: |\n${crls}`);
  writeDatabase('first');
  const authorities = readFileSync(pki.bundleFile, 'utf8').replaceAll(/^/gm, '          ');
  edit(
    'nord.yaml',
    /dimse:/,
    `storage:
    postgres:
      host: 127.0.0.1
      database: nord
      credentials: { secretName: nord-app }
      trust:
        inline: |
${authorities}
  dimse:`,
  );
  operator = await start();
});

function writeDatabase(password: string): void {
  const folder = join(directory, 'secrets/group/nord-app');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'username'), 'nord');
  writeFileSync(join(folder, 'password'), password);
}

test.after(async () => {
  await operator.stop();
  rmSync(root, { recursive: true });
});

test('every site gets its process and every FQDN its entry, and the status says ready', async () => {
  await allReady();
  assert.equal(
    ingressPlan?.hosts.map(({ fqdn }) => fqdn),
    ['db.nord.example', 'db.sud.example', 'vi.nord.example', 'vi.sud.example'],
  );
  assert.match(
    status === undefined ? '' : writeStatus(status, new Date()),
    /group\/nord\s+True\s+Ready\s+Verified\s+1\/1/,
  );
});

test('keys are readable by their owner alone', () => {
  const { dmp, listeners } = JSON.parse(readFileSync(join(state, 'sites/group/nord/config.json'), 'utf8'));
  for (const file of [
    dmp.structures[0].signature.keyFile,
    listeners.wado.tls.server.keyFile,
    join(state, 'plan.json'),
    join(state, 'accepted.json'),
    join(state, 'internal-authority.json'),
  ])
    assert.is(statSync(file).mode & 0o777, 0o600, file);
});

function databaseOf(site: string): { readonly user: string; readonly passwordFile: string; readonly port: number } {
  const text = readFileSync(join(state, `sites/group/${site}/config.json`), 'utf8');
  return (JSON.parse(text) as { storage: { postgres: ReturnType<typeof databaseOf> } }).storage.postgres;
}

test('a database is told to the gateway with a password that only its owner reads; a new one is a new file, and restarts nothing', async () => {
  const before = { ...databaseOf('nord'), pid: pidOf('nord') };
  assert.equal([before.user, before.port, readFileSync(before.passwordFile, 'utf8')], ['nord', 5432, 'first']);
  assert.is(statSync(before.passwordFile).mode & 0o777, 0o600);
  writeDatabase('second');
  const after = await until('the new password', () => {
    const now = databaseOf('nord');
    return now.passwordFile === before.passwordFile ? undefined : now;
  });
  assert.is(readFileSync(after.passwordFile, 'utf8'), 'second');
  await allReady();
  assert.is(pidOf('nord'), before.pid);
});

test('more gateways than one are refused on one host, and the one that runs goes on', async () => {
  const pid = pidOf('nord');
  edit('nord.yaml', /dimse:/, 'replicas: 2\n  dimse:');
  await until('the refusal', () => conditionOf('DrimboxSite', 'group/nord', 'Accepted') === 'SeveralOnOneHost');
  assert.is(pidOf('nord'), pid);
  edit('nord.yaml', /replicas: 2\n {2}dimse:/, 'dimse:');
  await allReady();
});

test('a change reaches the site it concerns, live, and nothing of the other is touched', async () => {
  const before = { nord: pidOf('nord'), sud: pidOf('sud'), revision: revisionOf('sud'), old: revisionOf('nord') };
  const config = join(state, 'sites/group/sud/config.json');
  const { mtimeMs } = statSync(config);
  edit('nord.yaml', /dimse:/, 'logLevel: debug\n  dimse:');
  await until('the new revision', () => revisionOf('nord') !== before.old && revisionOf('nord') !== undefined);
  await allReady();
  assert.is(pidOf('nord'), before.nord);
  assert.is(pidOf('sud'), before.sud);
  assert.is(revisionOf('sud'), before.revision);
  assert.is(statSync(config).mtimeMs, mtimeMs);
});

test('a port that moves restarts that site at once, and that site only', async () => {
  const [nord, sud] = [pidOf('nord'), pidOf('sud')];
  edit('nord.yaml', /dimse:\n\s+port: \d+/, `dimse:\n    port: ${await freePort()}`);
  await until('another process', () => pidOf('nord') !== nord && pidOf('nord') !== undefined);
  await allReady();
  assert.is(pidOf('sud'), sud);
});

test('a replaced certificate is in the next plan and restarts nothing', async () => {
  const [nord, sud] = [pidOf('nord'), pidOf('sud')];
  writeSecret(directory, 'group', 'pacs-nord-db', next);
  const [first] = next.chainPem.split('-----END');
  await until('the new certificate', () =>
    ingressPlan?.hosts.some(({ identity }) =>
      identity.certificatePem.replaceAll('\n', '').startsWith((first ?? '').replaceAll('\n', '')),
    ),
  );
  await allReady();
  assert.equal([pidOf('nord'), pidOf('sud')], [nord, sud]);
});

test('a key that does not match is said, and the former certificate stays', async () => {
  const served = ingressPlan?.hosts.find(({ fqdn }) => fqdn === 'db.nord.example');
  const key = join(directory, 'secrets/group/pacs-nord-db/tls.key');
  const good = readFileSync(key);
  writeFileSync(key, readFileSync(join(directory, 'secrets/group/pacs-nord-vi/tls.key')));
  await until('the reason', () => conditionOf('PacsLink', 'group/pacs-nord', 'CertificatesReady') === 'KeyMismatch');
  assert.equal(
    ingressPlan?.hosts.find(({ fqdn }) => fqdn === 'db.nord.example'),
    served,
  );
  writeFileSync(key, good);
  await allReady();
});

test('a file that breaks is reported with its line, and what ran goes on', async () => {
  const [nord, sud] = [pidOf('nord'), pidOf('sud')];
  const good = readFileSync(join(directory, 'nord.yaml'), 'utf8');
  writeFileSync(join(directory, 'nord.yaml'), good.replace('trustSpace: test', 'trustSpace: [test'));
  const fault = await until('the fault', () => status?.faults[0]);
  assert.is(fault.file, 'nord.yaml');
  assert.ok(fault.line > 1);
  assert.equal([pidOf('nord'), pidOf('sud')], [nord, sud]);
  writeFileSync(join(directory, 'nord.yaml'), good);
  await allReady();
});

test('a process that dies is started again, and the other site does not notice', async () => {
  const [nord, sud] = [pidOf('nord'), pidOf('sud')];
  process.kill(nord ?? 0, 'SIGKILL');
  await until('another process', () => pidOf('nord') !== nord && pidOf('nord') !== undefined);
  await allReady();
  assert.is(pidOf('sud'), sud);
});

test('a paused site keeps what it has, whatever is written', async () => {
  const [pid, revision] = [pidOf('nord'), revisionOf('nord')];
  edit('nord.yaml', /logLevel: debug/, 'logLevel: warn\n  paused: true');
  await until('the pause', () => conditionOf('DrimboxSite', 'group/nord', 'Paused') === 'Paused');
  assert.equal([pidOf('nord'), revisionOf('nord')], [pid, revision]);
  edit('nord.yaml', /\n\s+paused: true/, '');
  await until('the change', () => revisionOf('nord') !== revision);
});

test('an operator that starts again takes up the same ports, uids and internal certificates', async () => {
  await allReady();
  const files = ['ports.json', 'internal-authority.json', 'accepted.json', 'sites/group/nord/config.json'];
  const read = (): string[] => files.map((file) => readFileSync(join(state, file), 'utf8'));
  const before = read();
  await operator.stop();
  status = undefined;
  operator = await start();
  await allReady();
  assert.equal(read(), before);
});

test('a site that is deleted ends; its archive stays, the other site goes on', async () => {
  const [nord, sud] = [pidOf('nord') ?? 0, pidOf('sud')];
  rmSync(join(directory, 'nord.yaml'));
  await until(
    'the end',
    () => pidOf('nord') === undefined && status?.resources.every(({ key }) => !key.endsWith('nord')),
  );
  await until('the process gone', () => !isAlive(nord));
  assert.is(pidOf('sud'), sud);
  assert.ok(statSync(join(state, 'sites/group/nord/data')).isDirectory());
  assert.equal(
    ingressPlan?.hosts.map(({ fqdn }) => fqdn),
    ['db.sud.example', 'vi.sud.example'],
  );
});

test('a site that asked for it takes its archive along', async () => {
  edit('sud.yaml', /dimse:/, 'storage: { whenDeleted: Delete }\n  dimse:');
  await until('the plan', () => readFileSync(join(state, 'plan.json'), 'utf8').includes('"whenDeleted":"Delete"'));
  const folder = join(state, 'sites/group/sud');
  assert.ok(statSync(folder).isDirectory());
  rmSync(join(directory, 'sud.yaml'));
  await until('the removal', () => statSync(folder, { throwIfNoEntry: false }) === undefined);
});

test.run();
