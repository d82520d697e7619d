/**
 * Rotation without a dropped connection: certificates replaced and whitelists republished, again and again, while two remote
 * DRIMboxes download. The 200 of each are measured by `drimbox bench rotation`; the suite does fewer.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createNarrator } from '../demo/narrator.ts';
import { type DemoResult, type DemoWorld, openWorld, runMainJob } from '../demo/scenario.ts';
import { namespace } from '../demo/world.ts';
import { signRequest } from '../parts/certificate-authority.ts';
import { giveCertificate, download, rotateUnderLoad, rotatedFqdn, serialServed, stranger } from './rotation.ts';
import { until } from './site.ts';

const times = 20;
const images = 150;
// a short path: Envoy's sockets live below it
const directory = mkdtempSync('/tmp/drimbox-r-');
const narrator = createNarrator(true);
const world: DemoWorld = await openWorld(directory, images, narrator);
const result: DemoResult = await runMainJob(world, narrator, () => undefined);
const link = `${namespace}/pacs-nord`;
const scenarios = suite('rotation under load');

scenarios.after(async () => {
  await world.stop();
  rmSync(directory, { recursive: true, force: true });
});

scenarios('every certificate and every list comes into force, and no download fails', async () => {
  const outcome = await rotateUnderLoad({ world, result, times, clients: 2 });
  assert.equal(outcome.failures, []);
  assert.ok(outcome.downloads >= 2);
  assert.is(await serialServed(world), outcome.lastSerial);
});

scenarios('the last list decides: who stands in it passes, who stood in the one before does not', async () => {
  const issue = async (step: number): Promise<string> => {
    const { commonName, organizationalUnit } = stranger(step);
    const issued = await world.services.pki.issue({ commonName, organizationalUnit, kind: 'SERV_SSL' });
    return String((await download(world, result, issued)).status);
  };
  await until('the last list at the gateway', async () => (await issue(times - 1)) === '200');
  assert.is(await issue(times - 2), '401');
});

function conditionOf(type: string): string {
  const conditions = world.operator.status()?.resources.find(({ key }) => key === link)?.conditions;
  const found = conditions?.find((condition) => condition.type === type);
  return `${found?.status ?? ''} ${found?.reason ?? ''} ${found?.message ?? ''}`;
}

scenarios('a certificate that may not be used is quarantined with its reason; the last good one serves', async () => {
  const { pki } = world.services;
  const before = await serialServed(world);
  const names = { organizationalUnit: '1750000001', kind: 'SERV_SSL' } as const;
  const revoked = await pki.issue({ ...names, commonName: rotatedFqdn });
  await pki.revoke(revoked);
  world.operator.kill('SIGHUP');
  const cases = [
    [await pki.issue({ ...names, commonName: 'db1.other.example' }), 'WrongName'],
    [await pki.issue({ ...names, commonName: rotatedFqdn, issuer: pki.foreign }), 'UntrustedChain'],
    [revoked, 'Revoked'],
  ] as const;
  for (const [issued, reason] of cases) {
    giveCertificate(world, issued);
    await until(reason, () => conditionOf('CertificatesReady').startsWith(`False ${reason}`));
    assert.match(conditionOf('CertificatesReady'), 'the last good one stays in service');
    assert.is(await serialServed(world), before);
  }
  assert.is((await download(world, result)).parts.length, images);
});

function drimbox(...args: readonly string[]): string {
  const main = join(import.meta.dirname, '../../operator/main.ts');
  const argv = ['--disable-warning=ExperimentalWarning', main, 'certificate', ...args, '--state', world.operator.state];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  assert.is(status, 0, stderr);
  return stdout;
}

scenarios('a key made in place: its request stands in the status, its certificate goes into service', async () => {
  const asked = ['--link', link, '--kind', 'db', '-f', join(directory, 'resources')];
  const csr = drimbox('request', ...asked);
  const told = (): boolean => {
    const resource = world.operator.status()?.resources.find(({ key }) => key === link) as
      { readonly fields?: { readonly certificateRequests?: readonly { readonly csr: string }[] } } | undefined;
    return resource?.fields?.certificateRequests?.some((request) => request.csr === csr) ?? false;
  };
  await until('the request in the status', told);
  assert.match(drimbox('list'), /ght-demo\/pacs-nord +db +db1\.nord\.demo\.example +- +- +- +Requested/);
  const file = join(directory, 'answer.pem');
  writeFileSync(file, await signRequest(csr, world.services.pki.servers));
  const before = await serialServed(world);
  drimbox('accept', ...asked, '--file', file);
  await until('the new certificate', async () => ![before, ''].includes(await serialServed(world)));
  await until('ready again', () => conditionOf('CertificatesReady').startsWith('True ExpiresIn1Day'));
  assert.is(told(), false);
  assert.is((await download(world, result)).parts.length, images);
  assert.match(drimbox('list'), /ght-demo\/pacs-nord +db +db1\.nord\.demo\.example .* ExpiresIn1Day/);
});

scenarios.run();
