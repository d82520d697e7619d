/** Whatever byte is changed, added or lost anywhere in a signed list: it is refused, or what is read is what was signed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openLaboratory } from '../../e2e/parts/whitelist-variants/variants.ts';
import { verifyDocument } from './verify-document.ts';
import { whitelistReasons } from './reasons.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-mutations-'));
test.after(() => rmSync(directory, { recursive: true }));
const { good, trust } = await openLaboratory(directory);
const policy = { ...trust, signer: { commonName: 'Liste Blanche DRIM-M', organizationalUnit: '318751275100020' } };

/** mulberry32: the same mutations on each run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const telling = [
  '<',
  '>',
  '/',
  '"',
  '&',
  ' ',
  '=',
  '\0',
  '\n',
  'a',
  '0',
  '<!---->',
  '<?x?>',
  '<a/>',
  '&#97;',
  ']]>',
  '<![CDATA[',
  'é',
];

function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  const at = random(bytes.length);
  const kind = random(4);
  const piece = Buffer.from(telling[random(telling.length)] ?? '');
  if (kind === 0) return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + piece.length)]);
  if (kind === 2) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(40))]);
  const from = random(bytes.length);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + random(400)), bytes.subarray(at)]);
}

test('3 000 mutations: none is read differently, none ends without a verdict', async () => {
  const original = await verifyDocument(good, policy);
  if (!original.accepted) throw new Error(original.detail);
  const random = generator(20_261_121);
  const reasons = new Set<string>();
  for (let index = 0; index < 3_000; index += 1) {
    const bytes = mutate(good, random);
    const verdict = await verifyDocument(bytes, policy);
    if (verdict.accepted) assert.equal(verdict.whitelist.domains, original.whitelist.domains, bytes.toString('latin1'));
    else {
      assert.ok(verdict.reason in whitelistReasons, verdict.reason);
      reasons.add(verdict.reason);
    }
  }
  assert.ok(reasons.size > 8, [...reasons].join());
});

test.run();
