/**
 * The file in which Envoy of this host writes connections that failed, followed to its end: what came while no operator ran is read by
 * the next one. How far it was read is written down after each reading, so nothing is lost; what was read in the instant of a crash
 * may be told twice.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { writeFileAtomically } from '../infrastructure/host/files.ts';
import { type ConnectionFailure, readFailureLine } from './access-log.ts';

export interface FailureFileOptions {
  readonly file: string;
  readonly onFailure: (failure: ConnectionFailure) => void;
  /** Makes Envoy open the file anew. */
  readonly reopen: () => Promise<unknown>;
  /** A line that can't be read, or a file that can't be changed. */
  readonly onError: (error: Error) => void;
  /** The file begins anew beyond it, bytes (default 1 MiB). */
  readonly maxBytes?: number;
  /** Between two looks, ms (default 500). */
  readonly periodMs?: number;
}

/** Read at once, bytes: others have their turn in between. */
const chunkBytes = 65_536;

/** @returns what ends it */
export function followFailures(options: FailureFileOptions): { close(): void } {
  const { file } = options;
  const former = `${file}.1`;
  const mark = `${file}.read`;
  let offsets: Readonly<Record<string, number>> = existsSync(mark)
    ? (JSON.parse(readFileSync(mark, 'utf8')) as Readonly<Record<string, number>>)
    : {};
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  /** @returns whether there was anything whole to read */
  const read = (name: string): boolean => {
    if (!existsSync(name)) return false;
    const handle = openSync(name, 'r');
    try {
      const inode = String(fstatSync(handle, { bigint: true }).ino);
      const from = offsets[inode] ?? 0;
      const chunk = Buffer.alloc(chunkBytes);
      const length = readSync(handle, chunk, 0, chunkBytes, from);
      // A line longer than that is none of ours: passed over.
      const end = length === chunkBytes && !chunk.includes(10) ? length : chunk.subarray(0, length).lastIndexOf(10) + 1;
      for (const text of chunk.toString('utf8', 0, end).split('\n')) tell(text);
      if (end > 0) offsets = { ...offsets, [inode]: from + end };
      return end > 0;
    } finally {
      closeSync(handle);
    }
  };
  const tell = (text: string): void => {
    if (text === '') return;
    try {
      const failure = readFailureLine(text);
      if (failure !== undefined) options.onFailure(failure);
    } catch (error) {
      options.onError(new Error(`a line of ${file} can't be read`, { cause: error }));
    }
  };
  const keep = (): void => {
    const there = [file, former].flatMap((name) =>
      existsSync(name) ? [String(statSync(name, { bigint: true }).ino)] : [],
    );
    offsets = Object.fromEntries(Object.entries(offsets).filter(([inode]) => there.includes(inode)));
    writeFileAtomically(mark, JSON.stringify(offsets));
  };
  /** Renamed, so that what Envoy writes until it opens the new one is not lost. */
  const turnOver = async (): Promise<void> => {
    if (existsSync(former) && existsSync(file))
      rmSync(former); // read to its end, and no longer written
    else if (existsSync(former))
      await options.reopen(); // it did not hear us before
    else if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > (options.maxBytes ?? 1_048_576)) {
      renameSync(file, former);
      await options.reopen();
    }
  };
  const look = async (): Promise<void> => {
    const more = [former, file].map(read).includes(true);
    if (more) keep();
    else await turnOver();
    if (!closed) timer = setTimeout(again, more ? 0 : (options.periodMs ?? 500));
  };
  const again = (): void => {
    look().catch((error: unknown) => {
      // E.g. Envoy does not run: tried again at the next look.
      options.onError(error instanceof Error ? error : new Error(String(error)));
      if (!closed) timer = setTimeout(again, 10 * (options.periodMs ?? 500));
    });
  };
  again();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
