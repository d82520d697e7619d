/** The generated types say what the CRDs say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateTypes } from './generate-types.ts';

const committed = readFileSync(join(import.meta.dirname, '../../operator/api/types.generated.ts'), 'utf8');

test('the committed types are those of the CRDs', () => {
  assert.is(committed, generateTypes(), 'run npm run generate');
});

test('a field with a default is always there, one without may be absent', () => {
  assert.match(committed, /readonly maxConcurrentMoves: number;/);
  assert.match(committed, /readonly referenceStudyUid\?: string;/);
  assert.match(committed, /readonly environment: 'PROD' \| 'TEST';/);
});

test.run();
