/** Fetching spares the publisher: validators, a time of its own for each host, and at once when a person asks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { folderStore } from './document-store.ts';
import { type Fetched, type Fetcher, openFetcher } from './fetch.ts';

const root = mkdtempSync(join(tmpdir(), 'drimbox-fetch-'));
const hour = 3_600_000;
const asked: IncomingHttpHeaders[] = [];
const published = { etag: '"1"', body: 'one', available: true };
const server = createServer(({ headers }, response) => {
  asked.push(headers);
  response.setHeader('etag', published.etag);
  response.setHeader('last-modified', 'Thu, 01 Jan 2026 00:00:00 GMT');
  if (!published.available) response.writeHead(503).end();
  else if (headers['if-none-match'] === published.etag) response.writeHead(304).end();
  else response.end(published.body);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`;
test.after(() => {
  server.close();
  rmSync(root, { recursive: true });
});

async function look(fetcher: Fetcher, ms: number, request?: string): Promise<Fetched> {
  fetcher.get(url, 24 * hour, new Date(ms), request);
  await fetcher.settled();
  return fetcher.get(url, 24 * hour, new Date(ms), request);
}

test('what has not changed is not sent again, and counts as had', async () => {
  const fetcher = openFetcher(
    folderStore(join(root, 'same')),
    () => undefined,
    () => 0,
  );
  await look(fetcher, 0);
  asked.length = 0;
  const again = await look(fetcher, 24 * hour);
  assert.equal(
    asked.map((headers) => [headers['if-none-match'], headers['if-modified-since']]),
    [['"1"', 'Thu, 01 Jan 2026 00:00:00 GMT']],
  );
  assert.equal(
    [String(again.bytes), again.fetchedAt, again.error],
    ['one', new Date(24 * hour).toISOString(), undefined],
  );
  Object.assign(published, { etag: '"2"', body: 'two' });
  assert.is(String((await look(fetcher, 48 * hour)).bytes), 'two');
});

test('after a failure the validators are still those of the document that is kept', async () => {
  const fetcher = openFetcher(
    folderStore(join(root, 'failure')),
    () => undefined,
    () => 0,
  );
  await look(fetcher, 0);
  published.available = false;
  const kept = await look(fetcher, 24 * hour);
  assert.match(kept.error ?? '', '503');
  published.available = true;
  asked.length = 0;
  const back = await look(fetcher, 24 * hour + 10_000);
  assert.is(asked[0]?.['if-none-match'], published.etag);
  assert.equal([String(back.bytes), back.error], [published.body, undefined]);
});

test('a source that fails is asked again soon, then ever later, five minutes at most; a success forgets it', async () => {
  const folder = join(root, 'again');
  const open = (): Fetcher =>
    openFetcher(
      folderStore(folder),
      () => undefined,
      () => 0,
    );
  const waits = async (from: number): Promise<number[]> => {
    const found: number[] = [];
    for (let ms = from, last = from; found.length < 7; ms += 1_000) {
      asked.length = 0;
      // Anew each time: what was tried before is remembered across restarts.
      await look(open(), ms);
      if (asked.length === 0) continue;
      if (ms > from) found.push((ms - last) / 1_000);
      last = ms;
    }
    return found;
  };
  published.available = false;
  assert.equal(await waits(0), [10, 20, 40, 80, 160, 300, 300]);
  published.available = true;
  await look(open(), hour);
  published.available = false;
  assert.equal((await waits(48 * hour))[0], 10);
  published.available = true;
});

test('each host asks at a time of its own, at most an hour of the day early, never late', async () => {
  const early = openFetcher(
    folderStore(join(root, 'early')),
    () => undefined,
    () => 1,
  );
  await look(early, 0);
  asked.length = 0;
  await look(early, 23 * hour - 1);
  assert.is(asked.length, 0);
  await look(early, 23 * hour);
  assert.is(asked.length, 1);
});

test('a new value of the annotation fetches at once, the same value does not, also after a restart', async () => {
  const folder = join(root, 'asked');
  const fetcher = openFetcher(
    folderStore(folder),
    () => undefined,
    () => 0,
  );
  await look(fetcher, 0);
  asked.length = 0;
  await look(fetcher, 1_000, 'monday');
  assert.is(asked.length, 1);
  await look(fetcher, 2_000, 'monday');
  await look(
    openFetcher(
      folderStore(folder),
      () => undefined,
      () => 0,
    ),
    3_000,
    'monday',
  );
  assert.is(asked.length, 1);
  await look(fetcher, 4_000, 'tuesday');
  assert.is(asked.length, 2);
});

test.run();
