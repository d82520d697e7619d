/**
 * Runs every test file in a process of its own and counts what uvu reports.
 * Files ending in `.serial.test.ts` measure the machine and run alone; which of the others run at once is in next-file.ts.
 * A file whose tests are over and whose process does not end has failed, and is told with what keeps it.
 * The last line is `N passed, N failed`.
 *
 * usage: run-tests.ts [--filter TEXT] [--jobs N]
 */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { filesAtOnce, longestFirst, nextFile, waits } from './next-file.ts';
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
  const left = longestFirst(files);
  const running = { working: 0, waiting: 0 };
  const results: FileResult[] = [];
  const worker = async (): Promise<void> => {
    for (let file = take(); file !== undefined; file = take()) {
      const kind = waits(file) ? 'waiting' : 'working';
      running[kind] += 1;
      const { output, code, seconds } = await runFile(join(root, file), root, limits);
      running[kind] -= 1;
      const result = { file, ...count(output, code), seconds, output };
      results.push(result);
      report(result);
    }
  };
  const take = (): string | undefined => {
    const next = nextFile(left, running, jobs);
    if (next !== undefined) left.splice(left.indexOf(next), 1);
    return next;
  };
  await Promise.all(Array.from({ length: filesAtOnce(jobs) }, worker));
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
const parallel = files.filter((file) => !serial.includes(file));
const results = [...(await runAll(parallel, Number(values.jobs))), ...(await runAll(serial, 1))];
const sum = (key: 'passed' | 'failed'): number => results.reduce((total, result) => total + result[key], 0);
for (const result of results.filter((r) => r.failed > 0)) console.log(`failed: ${relative('.', result.file)}`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exit(sum('failed') === 0 && sum('passed') > 0 ? 0 : 1);
