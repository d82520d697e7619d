import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresText } from './statement-text.ts';

test('each ? becomes the next $n', () => {
  assert.is(postgresText('UPDATE t SET a = ?, b = ? WHERE id = ?'), 'UPDATE t SET a = $1, b = $2 WHERE id = $3');
});

test('a ? inside a literal, a quoted name or a comment stays', () => {
  assert.is(
    postgresText(`SELECT 'what?', 'it''s ?', "a?" -- why?\n FROM t WHERE a = ?`),
    `SELECT 'what?', 'it''s ?', "a?" -- why?\n FROM t WHERE a = $1`,
  );
});

test.run();
