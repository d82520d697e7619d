/** The operator on one host, with real processes in the gateways' place: what it starts, what it leaves alone. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeSecret } from '../e2e/parts/group.ts';
import { freePort } from '../e2e/parts/ports.ts';
import { writeStatus } from './cli/status.ts';
import { openHostStage } from './host.testing.ts';

const stage = await openHostStage();
const { directory, state, until, allReady, pidOf, conditionOf, edit } = stage;

function revisionOf(site: string): unknown {
  return stage.status()?.resources.find(({ key, kind }) => kind === 'DrimboxSite' && key === `group/${site}`)?.fields[
    'revision'
  ];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // ESRCH
  }
}

test.before(async () => await stage.start());
test.after(async () => await stage.close());

test('every site gets its process and every FQDN its entry, and the status says ready', async () => {
  await allReady();
  const status = stage.status();
  assert.equal(
    stage.ingressPlan()?.hosts.map(({ fqdn }) => fqdn),
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
  writeSecret(directory, 'group', 'pacs-nord-db', stage.next);
  const [first] = stage.next.chainPem.split('-----END');
  await until('the new certificate', () =>
    stage
      .ingressPlan()
      ?.hosts.some(({ identity }) =>
        identity.certificatePem.replaceAll('\n', '').startsWith((first ?? '').replaceAll('\n', '')),
      ),
  );
  await allReady();
  assert.equal([pidOf('nord'), pidOf('sud')], [nord, sud]);
});

test('a link that changes is said to be served when the proxy has the change, and the other as before', async () => {
  const saidOf = (key: string): string[] =>
    stage.told.slice(from).flatMap(({ resources }) =>
      resources
        .filter((one) => one.kind === 'PacsLink' && one.key === key)
        .map(({ generation, observedGeneration, conditions }) => {
          const { status } = conditions.find(({ type }) => type === 'IngressProgrammed') ?? {};
          return `${generation} as ${observedGeneration}: ${status}`;
        }),
    );
  const from = stage.told.length;
  stage.proxyTakes(false);
  edit('nord.yaml', /(\s+)maxConcurrentMoves: 1/, '$1maxConcurrentMoves: 1$1maxConnections: 60');
  await until('that it is not served is said', () => saidOf('group/pacs-nord').at(-1)?.endsWith('Unknown'));
  stage.proxyTakes(true);
  await until('that it is', () => saidOf('group/pacs-nord').at(-1)?.endsWith('True'));
  const said = saidOf('group/pacs-nord').filter((one, index, all) => one !== all[index - 1]);
  assert.equal(said.slice(said.indexOf('2 as 1: True')), ['2 as 1: True', '2 as 2: Unknown', '2 as 2: True']);
  assert.equal(new Set(saidOf('group/pacs-sud')), new Set(['1 as 1: True']));
});

test('a key that does not match is said, and the former certificate stays', async () => {
  const served = stage.ingressPlan()?.hosts.find(({ fqdn }) => fqdn === 'db.nord.example');
  const key = join(directory, 'secrets/group/pacs-nord-db/tls.key');
  const good = readFileSync(key);
  writeFileSync(key, readFileSync(join(directory, 'secrets/group/pacs-nord-vi/tls.key')));
  await until('the reason', () => conditionOf('PacsLink', 'group/pacs-nord', 'CertificatesReady') === 'KeyMismatch');
  assert.equal(
    stage.ingressPlan()?.hosts.find(({ fqdn }) => fqdn === 'db.nord.example'),
    served,
  );
  writeFileSync(key, good);
  await allReady();
});

test('a file that breaks is reported with its line, and what ran goes on', async () => {
  const [nord, sud] = [pidOf('nord'), pidOf('sud')];
  const good = readFileSync(join(directory, 'nord.yaml'), 'utf8');
  writeFileSync(join(directory, 'nord.yaml'), good.replace('trustSpace: test', 'trustSpace: [test'));
  const fault = await until('the fault', () => stage.status()?.faults[0]);
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
  await stage.stop();
  await stage.start();
  await allReady();
  assert.equal(read(), before);
});

test('a site that is deleted ends; its archive stays, the other site goes on', async () => {
  const [nord, sud] = [pidOf('nord') ?? 0, pidOf('sud')];
  rmSync(join(directory, 'nord.yaml'));
  await until(
    'the end',
    () => pidOf('nord') === undefined && stage.status()?.resources.every(({ key }) => !key.endsWith('nord')),
  );
  await until('the process gone', () => !isAlive(nord));
  assert.is(pidOf('sud'), sud);
  assert.ok(statSync(join(state, 'sites/group/nord/data')).isDirectory());
  assert.equal(
    stage.ingressPlan()?.hosts.map(({ fqdn }) => fqdn),
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
