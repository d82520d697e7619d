import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runFile } from './run-file.ts';

const root = join(import.meta.dirname, '../..');
// within the repository, so that uvu is found
const folder = mkdtempSync(join(root, 'node_modules/.drimbox-run-file-'));
test.after(() => rmSync(folder, { recursive: true }));

function written(name: string, body: string): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, `import { test } from 'uvu';\n${body}\ntest.run();\n`);
  return file;
}

test('a file that ends is left alone', async () => {
  const file = written('good', `test('good', () => {});`);
  const { output, code } = await runFile(file, root, { wholeMs: 60_000, afterTestsMs: 60_000 });
  assert.is(code, 0);
  assert.match(output, /Passed: +1/);
  assert.not.match(output, 'open:');
});

test('a file whose tests passed and that does not end is ended, and tells its programs and servers', async () => {
  const file = written(
    'stays',
    `import { spawn } from 'node:child_process';
     import { createServer } from 'node:net';
     test('passes', async () => {
       spawn('sleep', ['4321'], { stdio: 'inherit' });
       await new Promise((resolve) => createServer().listen(0, '127.0.0.1', resolve));
     });`,
  );
  const { output, code } = await runFile(file, root, { wholeMs: 120_000, afterTestsMs: 200 });
  assert.is(code, null);
  assert.match(output, 'its tests ended 0.2 s ago and it does not; open:');
  assert.match(output, /program \d+: sleep 4321/);
  assert.match(output, /tcp server at 127\.0\.0\.1:\d+/);
  process.kill(Number(/program (\d+)/.exec(output)?.[1]));
});

test('a test that waits for ever is ended too, and tells on what', async () => {
  const file = written('waits', `test('waits', async () => await new Promise((done) => setTimeout(done, 4e6)));`);
  const { output, code } = await runFile(file, root, { wholeMs: 2_000, afterTestsMs: 60_000 });
  assert.is(code, null);
  assert.match(output, /stopped after 2 s; open:\n {2}a timer that fires in \d+ s/);
});

test.run();
