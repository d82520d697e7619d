/** The benchmark itself, small: what it says has its shape, and every image arrived as it was. No time is judged here. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { replaceFigures } from './markdown.ts';
import { type BenchResult, isFaithful, legResult, median, ratiosOf, type Run } from './result.ts';

const main = join(import.meta.dirname, 'main.ts');
const run = promisify(execFile);

test('40 images through every leg: all equal, costs counted, nothing left behind', async () => {
  const directory = mkdtempSync('/tmp/drimbox-bench-');
  try {
    const args = [main, 'retrieve', '--json', '--images', '40', '--runs', '1', '--no-shaped'];
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      cwd: directory,
    });
    const result = JSON.parse(stdout) as BenchResult;
    assert.is(result.equal, true);
    assert.is(result.images, 40);
    assert.ok(result.bytes > 40 * 100_000);
    assert.ok(result.machine.cores > 0 && result.machine.memoryBytes > 0);
    const [fast, nagle] = result.settings;
    assert.equal(
      fast?.legs.map(({ leg }) => leg),
      ['bare', 'memory', 'ours', 'ours-direct', 'ours-slow-client'],
    );
    assert.equal([nagle?.nagle, nagle?.legs.map(({ leg }) => leg)], [true, ['bare', 'ours']]);
    for (const { leg, runs } of result.settings.flatMap(({ legs }) => legs))
      for (const { images, equal, firstImageMs, processes } of runs) {
        assert.is(images, 40, leg);
        assert.is(equal, leg === 'bare' ? undefined : true, leg);
        assert.ok(leg === 'bare' || (firstImageMs ?? 0) > 0, leg);
        for (const { peakBytes } of Object.values(processes)) assert.ok(peakBytes > 0, leg);
      }
    assert.equal(Object.keys(fast?.ratios ?? {}), ['oursToBare', 'oursToDirect', 'oursToBothHalves']);
    const document = 'a\n<!-- bench retrieve: begin -->\nold\n<!-- bench retrieve: end -->\nz\n';
    const written = replaceFigures(document, result);
    assert.ok(written.includes('Every image was equal.') && !written.includes('old') && written.endsWith('-->\nz\n'));
    assert.is(replaceFigures(written, result), written);
    assert.equal(readdirSync(join(directory, '.drimbox')), []);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('wrong usage ends with 2, help with 0', async () => {
  const codeOf = async (...args: string[]): Promise<number> =>
    await run(process.execPath, [main, ...args]).then(
      () => 0,
      (error: unknown) => Number(Reflect.get(Object(error), 'code')),
    );
  assert.equal(
    await Promise.all([codeOf('nothing'), codeOf('retrieve', '--images', '0'), codeOf('retrieve', '--nothing')]),
    [2, 2, 2],
  );
  assert.equal(await Promise.all([codeOf('--help'), codeOf('retrieve', '--help')]), [0, 0]);
});

test('ratios are of medians; an image that differs or is missing is never faithful', () => {
  const took = (wallMs: number, more: Partial<Run> = {}): Run => ({
    wallMs,
    images: 2,
    bytes: 9,
    processes: {},
    equal: true,
    ...more,
  });
  assert.is(median([9, 1, 5]), 5);
  assert.is(median([1, 3]), 2);
  const legs = [
    legResult('bare', [took(100)]),
    legResult('memory', [took(100)]),
    legResult('ours', [took(900), took(150), took(150)]),
  ];
  assert.equal(ratiosOf(legs), { oursToBare: 1.5, oursToBothHalves: 0.75 });
  const setting = (run: Run): Parameters<typeof isFaithful>[0] => [
    { link: 'none', nagle: false, legs: [legResult('ours', [run])], ratios: {} },
  ];
  assert.ok(isFaithful(setting(took(1)), 2));
  assert.not(isFaithful(setting(took(1, { equal: false })), 2));
  assert.not(isFaithful(setting(took(1, { images: 1 })), 2));
});

test.run();
