import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { IngressPlan } from '../plan/ingress-plan.ts';
import { forgetAccepted, readAccepted, writeAccepted } from './accepted-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-accepted-'));
const file = join(folder, 'accepted.json');

test.after(() => rmSync(folder, { recursive: true }));

const pem = { name: 'n', certificatePem: 'c\n', keyPem: 'k\n' };

function plan(count: number): IngressPlan {
  const hosts = Array.from({ length: count }, (_, index) => ({
    kind: 'vi' as const,
    fqdn: `vi-${index}.example`,
    link: `a/${index}`,
    site: 'a/s',
    identity: pem,
    upstream: { host: '127.0.0.1', port: 1, serverName: 'g' },
    limits: { maxConnections: 3, maxRequests: 3 },
    probeCidrs: [],
  }));
  return {
    hosts,
    trusts: [{ name: 't', anchorsPem: 'a', crlsPem: 'c' }],
    internal: { identity: pem, serverName: 'i', caPem: 'ca' },
  };
}

for (const count of [0, 1, 99, 100, 101, 250])
  test(`a plan of ${count} hosts is read as it was written, by its owner alone`, async () => {
    await writeAccepted(file, plan(count));
    assert.equal(readAccepted(file), plan(count));
    assert.is(statSync(file).mode & 0o777, 0o600);
    assert.equal(readdirSync(folder), ['accepted.json']);
  });

test('none is none', () => {
  forgetAccepted(file);
  assert.is(readAccepted(file), undefined);
  forgetAccepted(file);
});

test.run();
