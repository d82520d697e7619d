import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPki } from './pki.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-pki-'));
test.after(() => rmSync(directory, { recursive: true }));

function openssl(certificateFile: string, pki: { bundleFile: string; crlBundleFile: string }): string {
  const args = ['verify', '-crl_check_all', '-CRLfile', pki.crlBundleFile, '-CAfile', pki.bundleFile, certificateFile];
  try {
    return (
      execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
        .trim()
        .split(' ')
        .at(-1) ?? ''
    );
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  }
}

test('openssl agrees: good, revoked and foreign certificates', async () => {
  const pki = await createPki(directory);
  const good = await pki.issue({ commonName: 'db1.a.example', organizationalUnit: '1750000001', kind: 'SERV_SSL' });
  const revoked = await pki.issue({ commonName: 'db2.a.example', organizationalUnit: '1750000001', kind: 'SERV_SSL' });
  const foreign = await pki.issue({
    commonName: 'db3.a.example',
    organizationalUnit: '1750000001',
    kind: 'SERV_SSL',
    issuer: pki.foreign,
  });
  await pki.revoke(revoked);
  assert.is(openssl(good.certificateFile, pki), 'OK');
  assert.match(openssl(revoked.certificateFile, pki), 'certificate revoked');
  assert.match(openssl(foreign.certificateFile, pki), /unable to get (local )?issuer/);
});

test.run();
