/**
 * Runs every test file in a process of its own and counts what uvu reports.
 * Files ending in `.serial.test.ts` measure or load the machine and run alone; the others run two at a time, those that are known to take
 * minutes first: most of these wait for something, and none may be what everything else waits for.
 * A file whose tests are over and whose process does not end has failed, and is told with what keeps it.
 * The last line is `N passed, N failed`.
 *
 * usage: run-tests.ts [--filter TEXT] [--jobs N]
 */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { type FileLimits, runFile } from './run-file.ts';

const root = join(import.meta.dirname, '../..');
const rooms = ['common', 'gateway', 'operator', 'images', 'charts', 'e2e'];
const limits: FileLimits = { wholeMs: 900_000, afterTestsMs: 60_000 };

interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly output: string;
}

function testFiles(filter: string | undefined): string[] {
  const found = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => join(room, name)),
  );
  return found.filter((name) => filter === undefined || name.includes(filter)).toSorted();
}

/** Longest first. What is not named here takes less than a minute. */
const slowest = [
  'e2e/scenarios/kill-at-arrows',
  'e2e/scenarios/cluster-pods',
  'e2e/scenarios/cluster-mistakes',
  'e2e/scenarios/cluster-operators',
  'e2e/scenarios/cluster-objects',
  'e2e/scenarios/cluster-gateways',
  'e2e/scenarios/soak',
  'common/whitelist/hostile.judges',
  'e2e/scenarios/demo',
  'operator/ingress/change',
  'operator/cli/',
];

function byLength(files: readonly string[]): string[] {
  const rank = (file: string): number => {
    const at = slowest.findIndex((start) => file.startsWith(start));
    return at < 0 ? slowest.length : at;
  };
  return files.toSorted((a, b) => rank(a) - rank(b));
}

/** uvu prints Total and Passed; a file that dies, or runs no test, counts as one failure. */
function count(output: string, code: number | null): { passed: number; failed: number } {
  const total = Number(/Total:\s+(\d+)/.exec(output)?.[1] ?? Number.NaN);
  const passed = Number(/Passed:\s+(\d+)/.exec(output)?.[1] ?? Number.NaN);
  const skipped = Number(/Skipped:\s+(\d+)/.exec(output)?.[1] ?? 0);
  if (!Number.isFinite(total) || !Number.isFinite(passed) || total === 0) return { passed: 0, failed: 1 };
  const failed = total - passed + skipped;
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed };
}

async function runAll(files: readonly string[], jobs: number): Promise<FileResult[]> {
  const queue = [...files];
  const results: FileResult[] = [];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const { output, code, seconds } = await runFile(join(root, file), root, limits);
      const result = { file, ...count(output, code), seconds, output };
      results.push(result);
      report(result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

function report(result: FileResult): void {
  const verdict = result.failed === 0 ? 'ok  ' : 'FAIL';
  console.log(
    `${verdict} ${result.file}  ${result.passed} passed, ${result.failed} failed  ${result.seconds.toFixed(1)} s`,
  );
  if (result.failed > 0) console.log(result.output.replaceAll(/^/gm, '     | '));
}

const { values } = parseArgs({ options: { filter: { type: 'string' }, jobs: { type: 'string', default: '2' } } });
const files = testFiles(values.filter);
const serial = files.filter((file) => file.endsWith('.serial.test.ts'));
const parallel = byLength(files.filter((file) => !serial.includes(file)));
const results = [...(await runAll(parallel, Number(values.jobs))), ...(await runAll(serial, 1))];
const sum = (key: 'passed' | 'failed'): number => results.reduce((total, result) => total + result[key], 0);
for (const result of results.filter((r) => r.failed > 0)) console.log(`failed: ${relative('.', result.file)}`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exit(sum('failed') === 0 && sum('passed') > 0 ? 0 : 1);
