import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startDmp, startDmpProgram } from './dmp.ts';
import { createPki } from './pki.ts';

const directory = mkdtempSync(join(tmpdir(), 'dmp-part-'));
test.after(() => rmSync(directory, { recursive: true }));

test('the simulator runs as a program, is killed, and starts again on what it kept; no certificate, no answer', async () => {
  const pki = await createPki(join(directory, 'pki'));
  const server = await pki.issue({ commonName: 'localhost', organizationalUnit: '0DMP', kind: 'SERV_SSL' });
  const config = {
    directory: join(directory, 'dmp'),
    certificateFile: server.certificateFile,
    keyFile: server.keyFile,
    clientCaFile: pki.bundleFile,
    crlFile: pki.crlBundleFile,
  };
  const program = await startDmpProgram(config);
  assert.match(program.part.log(), program.url);
  assert.equal(program.entries(), []);
  program.part.kill('SIGKILL');
  assert.is(await program.part.ended, 'SIGKILL');
  const again = await startDmpProgram({ ...config, port: program.port });
  assert.is(again.url, program.url);
  await again.part.stop();
  const here = await startDmp({ ...config, port: program.port });
  const ca = readFileSync(pki.bundleFile);
  const client = await pki.issue({ commonName: 'CABINET', organizationalUnit: '1999999999', kind: 'AUTH_CLI' });
  assert.is(await statusOf(here.url, { ca, cert: client.chainPem, key: client.keyPem }), 405);
  assert.match(String(await statusOf(here.url, { ca }).catch((error: unknown) => error)), /certificate required/);
  await here.close();
});

/** Status of a GET with that TLS identity. */
async function statusOf(url: string, tls: RequestOptions): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    get(`${url}/registry`, { ...tls, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });
}

test.run();
