/** A site on one host with its archive in a database: what its gateway is told, and what a host refuses. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openHostStage } from './host.testing.ts';

const stage = await openHostStage();
const { directory, state, pki, until, allReady, pidOf, conditionOf, edit } = stage;

function writeDatabase(password: string): void {
  const folder = join(directory, 'secrets/group/nord-app');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'username'), 'nord');
  writeFileSync(join(folder, 'password'), password);
}

test.before(async () => {
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
  await stage.start();
  await allReady();
});

test.after(async () => await stage.close());

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

test.run();
