/** Hostile lists: each is refused, and for its own reason. Built from a list signed here and, when it is there, from the official one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openLaboratory } from '../../e2e/parts/whitelist-variants/variants.ts';
import { acceptedLists } from '../../e2e/parts/whitelist-variants/accepted.ts';
import { heavyLists } from '../../e2e/parts/whitelist-variants/bytes.ts';
import { verifyDocument } from './verify-document.ts';
import { verifyWhitelist } from './verify.ts';
import type { WhitelistPolicy } from './whitelist.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-hostile-'));
test.after(() => rmSync(directory, { recursive: true }));
const laboratory = await openLaboratory(directory);
const signer = { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' };

for (const { name: family, variants, trust } of laboratory.families)
  for (const variant of variants)
    test(`${family}: ${variant.name}`, async () => {
      const policy: WhitelistPolicy = { signer, ...trust, ...variant.trust };
      const verdict = await verifyDocument(variant.bytes, policy);
      assert.is(verdict.accepted ? 'accepted' : verdict.reason, variant.reason, JSON.stringify(verdict));
    });

test('there are at least 60 of them, in every family, and no two have one name', () => {
  for (const { name: family, variants } of laboratory.families) {
    assert.is(new Set(variants.map(({ name }) => name)).size, variants.length, family);
    assert.ok(variants.length > 0, family);
  }
  assert.ok(laboratory.families.flatMap(({ variants }) => variants).length >= 60);
});

for (const { name, bytes } of acceptedLists(laboratory.list, laboratory.signer, laboratory.good.toString()))
  test(`accepted: ${name}`, async () => {
    const verdict = await verifyDocument(bytes, { signer, ...laboratory.trust });
    if (!verdict.accepted) throw new Error(`${verdict.reason}: ${verdict.detail}`);
    assert.equal(
      verdict.whitelist.domains.map(({ db, commonName, organizationalUnit }) => [db, commonName, organizationalUnit]),
      [
        ['db1.a.example', 'db1.a.example', '1750000001'],
        ['db1.b.example', 'db1.b.example', '1750000002'],
      ],
    );
  });

for (const { name, reason, bytes } of heavyLists(laboratory.good.toString()))
  test(`bounded: ${name}`, async () => {
    const before = process.memoryUsage().rss;
    const verdict = await verifyWhitelist(bytes, { signer, ...laboratory.trust }, { longestMs: 20_000 });
    assert.not.ok(verdict.accepted);
    // on a busy machine the bound itself may be what ends it: refused and over all the same
    assert.ok([reason, 'TooSlow'].includes(verdict.accepted ? '' : verdict.reason), JSON.stringify(verdict));
    assert.ok(process.memoryUsage().rss - before < 1_500_000_000);
  });

test('a verification that takes too long is ended, and so is one that takes too much', async () => {
  const policy = { signer, ...laboratory.trust };
  const slow = await verifyWhitelist(laboratory.good, policy, { longestMs: 1 });
  assert.is(slow.accepted ? '' : slow.reason, 'TooSlow');
  const big = await verifyWhitelist(laboratory.good, policy, { largestHeapMb: 4 });
  assert.is(big.accepted ? '' : big.reason, 'TooLarge');
});

test.run();
