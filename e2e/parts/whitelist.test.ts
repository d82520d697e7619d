/** The publisher's server: list with ETag, CRLs, authorities' certificates; off when it is told to be. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPki } from './pki.ts';
import { startWhitelistServer } from './whitelist.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-list-'));
const pki = await createPki(directory);
const server = await startWhitelistServer(pki, Buffer.from('<list/>'));
test.after(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

test('the list is served with an ETag, and not again to who has it', async () => {
  const first = await fetch(server.listUrl);
  assert.is(await first.text(), '<list/>');
  const again = await fetch(server.listUrl, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
  assert.is(again.status, 304);
  server.publish(Buffer.from('<newer/>'));
  assert.is(await (await fetch(server.listUrl)).text(), '<newer/>');
});

test('each authority has its CRL and its certificate', async () => {
  assert.is(server.crlUrls.length, server.aiaUrls.length);
  for (const url of server.crlUrls) assert.is((await fetch(url)).headers.get('content-type'), 'application/pkix-crl');
  const names = await Promise.all(
    server.aiaUrls.map(async (url) => new X509Certificate(Buffer.from(await (await fetch(url)).arrayBuffer())).ca),
  );
  assert.equal(names, [true, true, true]);
});

test('unavailable is 503 for everything', async () => {
  server.setAvailable(false);
  for (const url of [server.listUrl, ...server.crlUrls, ...server.aiaUrls]) assert.is((await fetch(url)).status, 503);
  server.setAvailable(true);
});

test.run();
