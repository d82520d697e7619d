/** The list in force changes only for a verified, newer one; it is the published bytes; and it does not stay for ever. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { WhitelistObservation } from '../plan/observations.ts';
import { folderStore } from './document-store.ts';
import { type Fetched, openFetcher } from './fetch.ts';
import { type WhitelistVerifier, keepWhitelist } from './whitelist-keeper.ts';

const root = mkdtempSync(join(tmpdir(), 'drimbox-keeper-'));
test.after(() => rmSync(root, { recursive: true }));
const hour = 3_600_000;

/** Reads `good DATE` and refuses the rest: signatures are judged in common/whitelist, keeping is judged here. */
const verify: WhitelistVerifier = async (xml, { signer }) => {
  const [word, generatedAt = ''] = Buffer.from(xml).toString('latin1').split(' ');
  if (word !== 'good') return await Promise.resolve({ accepted: false, reason: 'SignatureInvalid', detail: 'changed' });
  const by = { ...signer, issuer: '', serial: '', notAfter: '' };
  const whitelist = { generatedAt, signedAt: generatedAt, signer: by, revocation: 'good' as const, domains: [] };
  return { accepted: true, whitelist };
};

async function keep(folder: string, candidate: Fetched, now: string, hours = 48): Promise<WhitelistObservation> {
  const signer = { commonName: 'a', organizationalUnit: 'b' };
  const policy = { anchors: [], crls: [], requireRevocation: true, signer, at: new Date(now) };
  return await keepWhitelist({
    store: folderStore(join(root, folder)),
    candidate,
    policy,
    maximumAgeMs: hours * hour,
    verify,
  });
}

function got(text: string, fetchedAt: string): Fetched {
  return { bytes: Buffer.from(text, 'latin1'), fetchedAt };
}

function inForce(folder: string): string | undefined {
  const file = join(root, folder, 'whitelist.xml');
  return existsSync(file) ? readFileSync(file, 'latin1') : undefined;
}

test('the file is the published bytes, unaltered', async () => {
  const text = 'good 2026-01-01T00:00:00Z \xff\xfe\r\n\t not UTF-8';
  assert.is((await keep('bytes', got(text, '2026-01-02T00:00:00Z'), '2026-01-02T00:00:00Z')).status, 'True');
  assert.is(inForce('bytes'), text);
});

test('a bad or an older list is refused and the former stays', async () => {
  const day = '2026-01-05T00:00:00Z';
  await keep('bad', got('good 2026-01-04T00:00:00Z', day), day);
  const bad = await keep('bad', got('forged', day), day);
  assert.equal([bad.status, bad.reason], ['False', 'SignatureInvalid']);
  const older = await keep('bad', got('good 2026-01-03T00:00:00Z', day), day);
  assert.equal([older.status, older.reason], ['False', 'Older']);
  assert.is(inForce('bad'), 'good 2026-01-04T00:00:00Z');
  assert.is((await keep('bad', got('good 2026-01-05T00:00:00Z', day), day)).reason, 'Verified');
});

test('without a new good list the former is withdrawn after its time, and a good one brings it back', async () => {
  const first = '2026-01-01T00:00:00Z';
  const list = got('good 2026-01-01T00:00:00Z', first);
  await keep('stale', list, first);
  const silent = { ...list, error: 'unreachable' };
  const day = await keep('stale', silent, '2026-01-02T00:00:00Z');
  assert.equal([day.status, day.reason], ['True', 'Unreachable']);
  const late = await keep('stale', silent, '2026-01-03T00:00:01Z');
  assert.equal([late.status, late.reason], ['False', 'Stale']);
  assert.is(inForce('stale'), undefined);
  const again = '2026-01-04T00:00:00Z';
  assert.is((await keep('stale', got('good 2026-01-01T00:00:00Z', again), again)).reason, 'Verified');
  assert.is.not(inForce('stale'), undefined);
});

test('two days without the publisher are told, even where the list may stay longer', async () => {
  const list = got('good 2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');
  await keep('silent', list, '2026-01-01T00:00:00Z', 336);
  const silent = { ...list, error: 'unreachable' };
  assert.is((await keep('silent', silent, '2026-01-02T23:59:59Z', 336)).reason, 'Unreachable');
  const told = await keep('silent', silent, '2026-01-03T00:00:00Z', 336);
  assert.equal([told.status, told.reason], ['False', 'UnreachableTwoDays']);
  assert.is(inForce('silent'), 'good 2026-01-01T00:00:00Z');
});

test('nothing was ever had: absent, and no file', async () => {
  const seen = await keep('never', { error: 'no route' }, '2026-01-01T00:00:00Z');
  assert.equal([seen.status, seen.reason, seen.message], ['False', 'Unreachable', 'no route']);
  assert.is(inForce('never'), undefined);
});

test('a document is fetched once a period; a refresh fetches at once; a failure keeps the last one', async () => {
  let asked = 0;
  let fail = false;
  const server = createServer((_, response) => {
    asked += 1;
    response.statusCode = fail ? 503 : 200;
    response.end(`body ${asked}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`;
  const fetcher = openFetcher(
    folderStore(join(root, 'fetched')),
    () => undefined,
    () => 0,
  );
  const look = async (ms: number): Promise<Fetched> => {
    fetcher.get(url, 24 * hour, new Date(ms));
    await fetcher.settled();
    return fetcher.get(url, 24 * hour, new Date(ms));
  };
  assert.is(String((await look(0)).bytes), 'body 1');
  await look(23 * hour);
  assert.is(asked, 1);
  assert.is(String((await look(24 * hour)).bytes), 'body 2');
  fetcher.refresh();
  assert.is(String((await look(25 * hour)).bytes), 'body 3');
  fail = true;
  const kept = await look(50 * hour);
  assert.is(String(kept.bytes), 'body 3');
  assert.match(kept.error ?? '', '503');
  // Another process finds the same on disk.
  assert.is(
    String(
      openFetcher(
        folderStore(join(root, 'fetched')),
        () => undefined,
        () => 0,
      ).get(url, 24 * hour, new Date(50 * hour)).bytes,
    ),
    'body 3',
  );
  server.close();
});

test.run();
