/**
 * Lines into a file or a pipe, without ever waiting for whoever reads them: a full pipe must not stop images or the Lease. What the
 * reader does not take now waits here, in order and bounded; a line that was taken is not lost by SIGKILL.
 */
import { fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

export interface LineWriter {
  /** @param line with its line feed */
  write(line: string): void;
}

/** Of what waits, bytes; beyond it lines are dropped rather than memory. */
const mostWaiting = 16 * 1_048_576;
const retryMs = 20;
/** At the end of the process: a reader that has stopped for good must not keep it. */
const farewellMs = 2_000;

/** @param fd open for writing; a pipe or socket is made non-blocking, for all who have it */
export function openLineWriter(fd: number): LineWriter {
  const keep = nonBlocking(fd);
  const state: { bytes: number; dropped: number; gone: boolean; timer: NodeJS.Timeout | undefined } = {
    bytes: 0,
    dropped: 0,
    gone: false,
    timer: undefined,
  };
  let queue: Buffer[] = [];

  /** What is left of it; undefined when nothing is. */
  const attempt = (chunk: Buffer): Buffer | undefined => {
    try {
      const written = writeSync(fd, chunk);
      return written === chunk.length ? undefined : chunk.subarray(written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return chunk;
      // EPIPE: nobody will ever read. Anything else (a full disk): this line is lost, the next may not be.
      state.gone ||= code === 'EPIPE';
      state.dropped += 1;
      return undefined;
    }
  };
  const drain = (): void => {
    if (queue.length === 0) return;
    const rest = attempt(queue.length === 1 ? (queue[0] ?? Buffer.alloc(0)) : Buffer.concat(queue));
    queue = rest === undefined ? [] : [rest];
    state.bytes = rest?.length ?? 0;
    if (state.gone || rest !== undefined) return;
    if (state.dropped > 0) add(droppedLine(state.dropped));
    state.dropped = 0;
  };
  const later = (): void => {
    state.timer ??= setInterval(() => {
      drain();
      if (queue.length > 0) return;
      clearInterval(state.timer);
      state.timer = undefined;
    }, retryMs).unref();
  };
  const add = (line: string): void => {
    if (state.gone) return;
    const chunk = Buffer.from(line, 'utf8');
    if (state.bytes + chunk.length > mostWaiting) {
      state.dropped += 1;
      return;
    }
    const rest = queue.length === 0 ? attempt(chunk) : chunk;
    if (rest === undefined) return;
    queue.push(rest);
    state.bytes += rest.length;
    later();
  };
  process.once('exit', () => {
    keep?.unref();
    const until = performance.now() + farewellMs;
    for (drain(); queue.length > 0 && performance.now() < until; drain()) pause(5);
  });
  return { write: add };
}

/** libuv makes what it opens non-blocking. Kept for as long as the writer: when it is collected the descriptor closes. */
function nonBlocking(fd: number): Socket | undefined {
  const kind = fstatSync(fd);
  if (!kind.isFIFO() && !kind.isSocket()) return undefined;
  return new Socket({ fd, readable: false, writable: true }).unref();
}

function droppedLine(count: number): string {
  const at = new Date().toISOString();
  return `${JSON.stringify({ level: 'warn', time: at, dropped: count, msg: 'log lines were dropped: nobody took them' })}\n`;
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
