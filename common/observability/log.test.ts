import { execFileSync } from 'node:child_process';
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

test.run();
