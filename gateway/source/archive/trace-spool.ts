/**
 * Traces that wait for a database that is away, in a file of this gateway alone: one that is killed meanwhile tells them when it is back.
 * A line is a trace, or `+`: the first of those that wait is in the database. Empty when none waits.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Traces } from '../../journal/journal.ts';

export interface Trace extends Traces {
  /** ISO 8601. */
  readonly at: string;
}

export interface TraceSpool {
  readonly file: string;
  /** What a former process left, in order; it stays until {@link TraceSpool.told}. */
  readonly left: readonly Trace[];
  /** Lines that can't be read: of a process that was killed while it wrote the last one. */
  readonly unreadable: number;
  /** Durable when it resolves, in the order of the calls. @throws Error of the file system; none of them is kept then */
  keep(traces: readonly Trace[]): Promise<void>;
  /** The first that waits here is in the database. What can't be noted is told twice by the next process, and never missing. */
  told(): Promise<void>;
  close(): Promise<void>;
}

const toldLine = '+';

/** @throws Error when the file can't be read or written */
export async function openTraceSpool(file: string): Promise<TraceSpool> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { left, unreadable } = readLines(contentOf(file));
  const handle = await openWith(file, left);
  let waiting = left.length;
  let last: Promise<void> = Promise.resolve();
  const inTurn = async (work: () => Promise<void>): Promise<void> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    await mine;
  };
  return {
    file,
    left,
    unreadable,
    keep: (traces) =>
      inTurn(async () => {
        const { size } = await handle.stat();
        try {
          await handle.appendFile(linesOf(traces));
          await handle.datasync();
          waiting += traces.length;
        } catch (error) {
          await handle.truncate(size);
          throw error;
        }
      }),
    told: () =>
      inTurn(async () => {
        waiting -= 1;
        if (waiting === 0) await handle.truncate(0);
        else await handle.appendFile(`${toldLine}\n`);
      }),
    async close() {
      await last;
      await handle.close();
      if (waiting === 0) rmSync(file, { force: true });
    },
  };
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function readLines(content: string): Pick<TraceSpool, 'left' | 'unreadable'> {
  const left: Trace[] = [];
  let [told, unreadable] = [0, 0];
  for (const line of content.split('\n')) {
    if (line === '') continue;
    if (line === toldLine) told += 1;
    else {
      try {
        left.push(JSON.parse(line) as Trace);
      } catch {
        unreadable += 1;
      }
    }
  }
  return { left: left.slice(told), unreadable };
}

function linesOf(traces: readonly Trace[]): string {
  return traces.map((trace) => `${JSON.stringify(trace)}\n`).join('');
}

/** Written anew: without what was told, and without half a line that the next one would be appended to. */
async function openWith(file: string, left: readonly Trace[]): Promise<FileHandle> {
  const next = `${file}.next`;
  const handle = await open(next, 'w', 0o600);
  await handle.appendFile(linesOf(left));
  await handle.datasync();
  await handle.close();
  await rename(next, file);
  return await open(file, 'a', 0o600);
}
