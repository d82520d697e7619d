import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Part, startProcess } from './process.ts';
import { endOf } from './server-end.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-process-'));
test.after(() => rmSync(folder, { recursive: true }));

async function startScript(name: string, script: string): Promise<Part> {
  return await startProcess({
    name,
    command: process.execPath,
    args: ['--eval', script],
    logFile: join(folder, `${name}.log`),
    ready: (said) => said().includes('ready'),
  });
}

test('what a part said is in its log as soon as it ended, all of it', async () => {
  const last = `process.once('SIGTERM', () => { console.log('x'.repeat(4_000_000)); console.log('last'); process.exit(); });`;
  const part = await startScript('talker', `${last} setInterval(() => {}, 1000); console.log('ready');`);
  part.kill('SIGTERM');
  assert.is(await part.ended, '0');
  assert.ok(part.log().endsWith('last\n'));
});

test('a part that starts again is ready by its own word, not by what the former said', async () => {
  const late = `setTimeout(() => console.log('ready'), 300); setInterval(() => {}, 1000);`;
  const former = await startScript('twice', late);
  former.kill('SIGKILL');
  assert.is(await former.ended, 'SIGKILL');
  const again = await startScript('twice', late);
  assert.is(again.log().split('ready').length, 3);
  await again.stop();
});

test('a test that fails between start and stop ends by itself, and so does the part', async () => {
  const pidFile = join(folder, 'pid');
  const script = `
    import { writeFileSync } from 'node:fs';
    import { test } from 'uvu';
    import { startProcess } from '${join(import.meta.dirname, 'process.ts')}';
    test('fails', async () => {
      const part = await startProcess({
        name: 'forgotten',
        command: process.execPath,
        args: ['--eval', "console.log('ready'); setInterval(() => {}, 1000)"],
        logFile: '${join(folder, 'forgotten.log')}',
        ready: (said) => said().includes('ready'),
      });
      writeFileSync('${pidFile}', String(part.pid));
      throw new Error('not as it should be');
    });
    test.run();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.is(await endOfChild(child), 1);
  const pid = readFileSync(pidFile, 'utf8');
  while (isAlive(pid)) await sleep(20);
});

/** Its exit code; a child that stays is ended after a minute, and has none. */
async function endOfChild(child: ChildProcess): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  child.stdout?.resume();
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return code;
}

/** A zombie is not: its parent is gone, and whoever inherits it may take its time. */
function isAlive(pid: string): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, 'utf8'));
}

test('a server of a part ends although somebody connected and never ends his handshake', async () => {
  const server = createServer();
  const end = endOf(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const silent = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const closed = once(silent, 'close');
  await Promise.all([once(silent, 'connect'), once(server, 'connection')]);
  const ended = end().then(() => 'ended');
  assert.is(await Promise.race([ended, sleep(10_000, 'open', { ref: false })]), 'ended');
  await closed;
  await end();
});

test.run();
