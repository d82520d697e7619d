/**
 * multipart/related as it goes out, part by part (ci-sis §7.6, RFC 2387). Writes wait for the socket: what the caller does not read
 * is not asked of the PACS. A failure after the first byte destroys the socket: the closing boundary is written by `end` alone, so
 * that a truncated series never looks whole.
 */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

export interface MultipartWriter {
  readonly started: boolean;
  /** Bytes written, boundaries and part headers included. */
  readonly bytes: number;
  /** One part; the parts of one response follow each other, never interleave: callers queue. @throws Error when the caller is gone. */
  part(transferSyntaxUid: string, head: Buffer, data: AsyncIterable<Buffer>): Promise<number>;
  end(): Promise<void>;
  /** Breaks the stream. */
  destroy(): void;
}

export class CallerGone extends Error {
  constructor() {
    super('the caller closed the connection');
    this.name = 'CallerGone';
  }
}

export function createMultipartWriter(response: ServerResponse, boundary = `drimbox-${randomUUID()}`): MultipartWriter {
  const state = { started: false, bytes: 0 };

  const begin = (): void => {
    state.started = true;
    response.writeHead(200, {
      'content-type': `multipart/related; type="application/dicom"; boundary="${boundary}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
  };

  const write = async (bytes: Buffer | string): Promise<void> => {
    if (response.destroyed || response.socket === null) throw new CallerGone();
    state.bytes += bytes.length;
    response.write(bytes);
    if (response.writableNeedDrain) await drained(response);
  };

  return {
    get started() {
      return state.started;
    },
    get bytes() {
      return state.bytes;
    },
    async part(transferSyntaxUid, head, data) {
      const first = !state.started;
      if (first) begin();
      let length = head.length;
      // boundary, headers and the first chunk leave in one segment
      response.cork();
      let corked = true;
      const uncork = (): void => {
        if (corked) response.uncork();
        corked = false;
      };
      try {
        state.bytes += head.length;
        response.write(
          `${first ? '' : '\r\n'}--${boundary}\r\nContent-Type: application/dicom; transfer-syntax=${transferSyntaxUid}\r\n\r\n`,
        );
        response.write(head);
        for await (const chunk of data) {
          length += chunk.length;
          if (corked) {
            response.write(chunk);
            state.bytes += chunk.length;
            uncork();
            if (response.writableNeedDrain) await drained(response);
          } else await write(chunk);
          if (response.destroyed) throw new CallerGone();
        }
      } finally {
        uncork();
      }
      return length;
    },
    async end() {
      if (!state.started) begin();
      response.end(`\r\n--${boundary}--\r\n`);
      await finished(response);
    },
    destroy: () => void response.destroy(),
  };
}

/** Resolves on `drain`; @throws CallerGone when the connection closes first. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => (): void => {
      response.off('drain', onDrain);
      response.off('close', onClose);
      settle();
    };
    const onDrain = done(resolve);
    const onClose = done(() => reject(new CallerGone()));
    response.once('drain', onDrain);
    response.once('close', onClose);
    if (response.destroyed) onClose();
  });
}

function finished(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    if (response.writableFinished) {
      resolve();
      return;
    }
    response.once('finish', resolve);
    response.once('close', () => (response.writableFinished ? resolve() : reject(new CallerGone())));
  });
}
