/**
 * `./drimbox test`: types, lint, format, then every test file. Last line: `N passed, N failed`.
 *
 * usage: drimbox test [--filter TEXT] [--jobs N] [--coverage]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '../..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);

const { values } = parseArgs({
  options: {
    filter: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    coverage: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(`usage: drimbox test [--filter TEXT] [--jobs N] [--coverage]

  --filter TEXT  only test files whose path contains TEXT; types, lint and format are then left out
  --jobs N       test files at once (default 2: as many as the smallest machine has cores), and one more that mostly waits; files named
                 *.serial.test.ts always run alone
  --coverage     line coverage of the product's own files, in coverage/

The last line is "N passed, N failed"; the exit code is 0 only when nothing failed.`);
  process.exit(0);
}

interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const checks: readonly Check[] = [
  { name: 'types', command: bin('tsc'), args: ['--noEmit'] },
  { name: 'lint', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', command: bin('prettier'), args: ['--check', '--log-level', 'warn', '.'] },
];

async function runCheck({ name, command, args }: Check): Promise<boolean> {
  const started = Date.now();
  const child = spawn(process.execPath, [command, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const [code] = (await once(child, 'close')) as [number | null];
  const passed = code === 0;
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name}  ${((Date.now() - started) / 1000).toFixed(1)} s`);
  if (!passed) console.log(said.join('').replaceAll(/^/gm, '     | '));
  return passed;
}

async function runTests(): Promise<{ passed: number; failed: number }> {
  const runner = [
    join(root, 'e2e/tools/run-tests.ts'),
    '--jobs',
    values.jobs,
    ...(values.filter === undefined ? [] : ['--filter', values.filter]),
  ];
  const coverage = values.coverage
    ? [
        bin('c8'),
        '--all',
        '--include',
        '{common,gateway,operator}/**/*.ts',
        '--exclude',
        '**/*.test.ts',
        process.execPath,
      ]
    : [];
  const child = spawn(process.execPath, [...coverage, ...runner], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let last = '';
  child.stdout.setEncoding('utf8');
  const tally = { passed: 0, failed: 1 };
  for await (const chunk of child.stdout) {
    const lines = (last + String(chunk)).split('\n');
    last = lines.pop() ?? '';
    for (const line of lines) {
      const match = /^(\d+) passed, (\d+) failed$/.exec(line);
      if (match) Object.assign(tally, { passed: Number(match[1]), failed: Number(match[2]) });
      else console.log(line);
    }
  }
  return tally;
}

const verdicts = values.filter === undefined ? await Promise.all(checks.map(runCheck)) : [];
const tests = await runTests();
const passed = tests.passed + verdicts.filter(Boolean).length;
const failed = tests.failed + verdicts.filter((ok) => !ok).length;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
