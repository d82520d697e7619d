/** docs/whitelist.md says what the code does: each reason, and each difference from DSS; and each reason has its hostile list. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openLaboratory } from '../../e2e/parts/whitelist-variants/variants.ts';
import { whitelistReasons } from './reasons.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-reasons-'));
test.after(() => rmSync(directory, { recursive: true }));
const { families } = await openLaboratory(directory);
const variants = families.filter(({ name }) => !name.includes('official')).flatMap((family) => family.variants);
const page = readFileSync(join(import.meta.dirname, '../../docs/whitelist.md'), 'utf8');

/** Rows of the table after that mark, cells trimmed. */
function table(mark: string): readonly (readonly string[])[] {
  const [, after = ''] = page.split(`<!-- ${mark}:`);
  const lines = after.slice(after.indexOf('|')).split('\n\n')[0]?.split('\n') ?? [];
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('the page has each reason with its meaning', () => {
  assert.equal(
    table('reasons'),
    Object.entries(whitelistReasons).map(([reason, meaning]) => [`\`${reason}\``, meaning]),
  );
});

test('the page has each difference from DSS with its explanation', () => {
  const expected = variants.flatMap(({ name, reason, dssPasses }) =>
    dssPasses === undefined ? [] : [[name, `\`${reason}\``, dssPasses]],
  );
  assert.equal(table('differences'), expected);
});

test('each reason has a hostile list of its own', () => {
  // bounds are proven apart; a fault of the verifier itself is what no list is known to cause
  const apart = ['TooLarge', 'TooSlow', 'VerifierFault'];
  const made = new Set([...variants.map(({ reason }) => reason), ...apart]);
  assert.equal(
    Object.keys(whitelistReasons).filter((reason) => !made.has(reason)),
    [],
  );
});

test.run();
