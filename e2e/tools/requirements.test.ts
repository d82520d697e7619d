/** docs/requirements.md names, for each requirement proven, the tests that prove it: each must exist, by file and by name. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '../..');

interface Row {
  readonly id: string;
  readonly proofs: readonly { readonly file: string; readonly name: string }[];
}

/** Rows look like `| DB.SO.11 | what | path/to/file.test.ts › name of the test |`, proofs separated by `<br>`. */
function rows(): Row[] {
  return readFileSync(join(root, 'docs/requirements.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| (DB|EX|SC|DN)[.-_]/.test(line))
    .map((line) => {
      const cells = line.split('|').map((cell) => cell.trim());
      const proofs = (cells[3] ?? '').split('<br>').map((proof) => {
        const [file, name] = proof.split('›').map((part) => part.trim());
        return { file: file ?? '', name: name ?? '' };
      });
      return { id: cells[1] ?? '', proofs };
    });
}

test('every named proof exists', () => {
  const missing = rows().flatMap(({ id, proofs }) =>
    proofs.filter(({ file, name }) => !proofExists(file, name)).map(({ file, name }) => `${id}: ${file} › ${name}`),
  );
  assert.equal(missing, []);
});

test('an id has one row', () => {
  const ids = rows().map(({ id }) => id);
  assert.equal(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  );
});

function proofExists(file: string, name: string): boolean {
  const path = join(root, file);
  if (name === '' || !existsSync(path)) return false;
  const text = readFileSync(path, 'utf8');
  return text.includes(`'${name}'`) || text.includes(`"${name}"`) || text.includes(`\`${name}\``);
}

test.run();
