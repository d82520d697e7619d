import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const source = new URL('./log.ts', import.meta.url).href;

function lines(code: string): Record<string, unknown>[] {
  const output = execFileSync(
    process.execPath,
    ['--input-type=module', '-e', `import { createLog } from '${source}';\n${code}`],
    { encoding: 'utf8' },
  );
  return output
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line carries level, time, message and fields', () => {
  const [line] = lines(`createLog('info', { site: 'a' }).write('warn', 'hello', { n: 1 });`);
  assert.is(line?.['level'], 'warn');
  assert.is(line?.['site'], 'a');
  assert.is(line?.['n'], 1);
  assert.is(line?.['msg'], 'hello');
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT/);
});

test('tokens and patients never reach a log', () => {
  const [line] = lines(
    `createLog('info').write('info', 'x', { token: 'secret', patient: { matricule: '1' }, call: { authorization: 'Bearer y' } });`,
  );
  assert.not.match(JSON.stringify(line), /secret|matricule|Bearer/);
});

test('the level can be changed while running', () => {
  const written = lines(
    `const log = createLog('error'); log.write('info', 'a'); log.setLevel('info'); log.write('info', 'b');`,
  );
  assert.equal(
    written.map((line) => line['msg']),
    ['b'],
  );
});

test('a reader that does not read holds nobody up, and misses nothing when it reads again', async () => {
  const count = 4_000;
  const code = `import { createLog } from '${source}';
    const log = createLog('info');
    for (let n = 0; n < ${count}; n += 1) log.write('info', 'x'.repeat(200), { n });
    setTimeout(() => {}, 60_000);
    process.once('SIGTERM', () => process.exit(0));
    process.stderr.write('written');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  // 64 KiB fit into the pipe, and nobody reads until all was said.
  await once(child.stderr, 'data');
  child.kill('SIGTERM');
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  const numbers = Buffer.concat(chunks)
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly n: number }).n);
  assert.equal(numbers, [...Array(count).keys()]);
});

test('a reader that is gone ends nothing', async () => {
  const code = `import { createLog } from '${source}';
    const log = createLog('info');
    process.stdin.once('data', () => {
      for (let n = 0; n < 1_000; n += 1) log.write('info', 'x'.repeat(200), { n });
      process.stderr.write('goes on');
      process.exit(0);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'pipe' });
  child.stdout.destroy();
  child.stdin.end('go');
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const [status] = (await once(child, 'close')) as [number];
  assert.equal([status, Buffer.concat(said).toString('utf8')], [0, 'goes on']);
});

test.run();
