/** The log of failed connections: every whole line once, over restarts, and a file that begins anew. */
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectionFailure } from './access-log.ts';
import { followFailures } from './failure-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-failures-'));
test.after(() => rmSync(folder, { recursive: true }));

function line(peer: string, over: object = {}): string {
  const fields = { at: '2026-01-01T00:00:00.000Z', peer, name: 'db.nord.example', handshake: 'TLS_error:x', ...over };
  return `${JSON.stringify(fields)}\n`;
}

interface Followed {
  readonly peers: string[];
  readonly failures: ConnectionFailure[];
  readonly errors: Error[];
  close(): void;
}

function follow(file: string, maxBytes = 1_000_000): Followed {
  const [failures, errors, peers]: [ConnectionFailure[], Error[], string[]] = [[], [], []];
  const following = followFailures({
    file,
    maxBytes,
    periodMs: 5,
    onFailure(failure) {
      failures.push(failure);
      peers.push(failure.peer);
    },
    // As Envoy does.
    reopen: async () => await Promise.resolve(appendFileSync(file, '')),
    onError: (error) => errors.push(error),
  });
  return { failures, errors, peers, close: () => following.close() };
}

async function until(look: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 4_000 && !look(); attempt += 1) await sleep(5);
  assert.ok(look());
}

test('whole lines are told, a part waits for its end, and the next one goes on where this one stopped', async () => {
  const file = join(folder, 'a.log');
  writeFileSync(file, `${line('1')}${line('2').slice(0, 20)}`);
  const first = follow(file);
  await until(() => first.peers.length === 1);
  appendFileSync(file, line('2').slice(20));
  await until(() => first.peers.length === 2);
  first.close();
  appendFileSync(file, line('3'));
  const next = follow(file);
  await until(() => next.peers.length > 0);
  next.close();
  assert.equal([...first.peers, ...next.peers], ['1', '2', '3']);
  assert.equal(first.failures[0], {
    at: '2026-01-01T00:00:00.000Z',
    peer: '1',
    serverName: 'db.nord.example',
    reason: 'TLS_error:x',
  });
});

test('the file begins anew beyond its bound, and nothing written meanwhile is lost', async () => {
  const file = join(folder, 'b.log');
  const all = Array.from({ length: 2_000 }, (_, index) => String(index));
  const followed = follow(file, 10_000);
  for (const peer of all) {
    appendFileSync(file, line(peer));
    if (Number(peer) % 100 === 0) await sleep(10);
  }
  await until(() => followed.peers.length >= all.length);
  await until(() => !existsSync(`${file}.1`) && statSync(file).size < 10_500);
  followed.close();
  assert.equal(followed.peers, all);
  assert.equal(followed.errors, []);
});

test('no name served here is said in words, a line without a reason is none, one that is no line is an error', async () => {
  const file = join(folder, 'c.log');
  writeFileSync(file, line('1', { handshake: '-', end: null, flags: 'NR' }));
  appendFileSync(file, `${line('2', { handshake: '-', flags: '-' })}not a line\n${line('3')}`);
  const followed = follow(file);
  await until(() => followed.peers.length === 2);
  followed.close();
  assert.match(followed.failures[0]?.reason ?? '', /no FQDN of this name/);
  assert.equal([followed.peers, followed.errors.length], [['1', '3'], 1]);
});

test.run();
