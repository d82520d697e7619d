import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from './ports.ts';

const script = `import { freePort } from ${JSON.stringify(join(import.meta.dirname, 'ports.ts'))};
const ports = []; for (let n = 0; n < 200; n++) ports.push(await freePort());
process.stdout.write(JSON.stringify(ports)); await new Promise((r) => process.stdin.once('end', r).resume());`;

test('processes that look for ports at the same moment never get the same one', async () => {
  const children = [1, 2, 3, 4].map(() =>
    spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const lists = await Promise.all(
    children.map(
      async ({ stdout }) =>
        await new Promise<string>((resolve) => stdout.once('data', (text) => resolve(String(text)))),
    ),
  );
  const own = [await freePort(), await freePort()];
  for (const { stdin } of children) stdin.end();
  const taken = [...own, ...lists.flatMap((text) => JSON.parse(text) as number[])];
  assert.is(new Set(taken).size, 802);
  assert.ok(taken.every((port) => port < 32_768)); // Linux's default start of the ports of outgoing connections
});

test.run();
