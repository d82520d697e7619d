/** One test file in a process of its own: what it printed, how it ended, and what kept it when its tests were over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, readReport, reportFlags, stillOpen } from './still-open.ts';

export interface FileLimits {
  /** For all of it. */
  readonly wholeMs: number;
  /** From its summary to its end. */
  readonly afterTestsMs: number;
}

export interface FileRun {
  readonly output: string;
  readonly code: number | null;
  readonly seconds: number;
}

/**
 * Hundreds of programs of ours are started, each of hundreds of files: what one compiled the next need not. Not while lines are counted,
 * for which all is compiled anew.
 */
function compiled(root: string): Readonly<Record<string, string>> {
  if (process.env['NODE_V8_COVERAGE'] !== undefined) return {};
  return { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled') };
}

/** uvu's last line; nothing of a test runs after it. */
const summary = /^ {2}Duration: /m;

/** @param file absolute path @returns when it ended, or was ended for one of its limits: then its output says which, and why */
export async function runFile(file: string, root: string, limits: FileLimits): Promise<FileRun> {
  const started = process.hrtime.bigint();
  const reports = mkdtempSync(join(tmpdir(), 'drimbox-report-'));
  const child = spawn(process.execPath, [...reportFlags(reports), file], {
    cwd: root,
    env: { ...process.env, ...compiled(root), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const state = { output: '' };
  const end = async (words: string): Promise<void> => {
    const open = await lastWords(child, reports);
    state.output += `\n${words}; open:\n${open.map((line) => `  ${line}\n`).join('')}`;
    child.kill('SIGKILL');
    // a program it started may hold them still, and only their end is the end
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const whole = setTimeout(() => void end(`stopped after ${limits.wholeMs / 1000} s`), limits.wholeMs);
  let after: NodeJS.Timeout | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      state.output += text;
      if (after !== undefined || !summary.test(state.output)) return;
      const words = `its tests ended ${limits.afterTestsMs / 1000} s ago and it does not`;
      after = setTimeout(() => void end(words), limits.afterTestsMs);
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(whole);
  clearTimeout(after);
  rmSync(reports, { recursive: true });
  return { output: state.output, code, seconds: Number(process.hrtime.bigint() - started) / 1e9 };
}

/** Asks it for its report; a process too stuck to write one within ten seconds is told as such. */
async function lastWords(child: ChildProcess, reports: string): Promise<readonly string[]> {
  child.kill('SIGUSR2');
  for (let tries = 0; tries < 100; tries += 1) {
    const report = readReport(reports);
    if (report !== undefined) return stillOpen(report, commandLine);
    await sleep(100);
  }
  return ['it wrote no report of what is open'];
}
