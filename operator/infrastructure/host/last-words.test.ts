import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lastWords } from './last-words.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-words-'));
test.after(() => rmSync(folder, { recursive: true }));

function said(text: string): string {
  const file = join(folder, 'a.log');
  writeFileSync(file, text);
  return lastWords(file);
}

test('the line that names the error is found in a stack, among much else, and cut to size', () => {
  assert.is(
    said(`${'x'.repeat(20_000)}\nError: no such file\n    at a (b)\n}\n\nNode.js v24\n`),
    'Error: no such file',
  );
  assert.is(said('gateway: /dmp/url must be a uri\n'), 'gateway: /dmp/url must be a uri');
  assert.is(said('one\ntwo\n\n'), 'two');
  assert.is(said(`Error ${'y'.repeat(5000)}`).length, 300);
});

test('no log, or an empty one, says nothing', () => {
  assert.is(lastWords(join(folder, 'none')), '');
  assert.is(said(''), '');
});

test.run();
