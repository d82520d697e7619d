/** The stream of a watch: one JSON document per line, cut anywhere by the network. */

/** Above any object the API server stores (1.5 MB in etcd), escaped. */
const longestLine = 16 * 1024 * 1024;

export interface JsonLines {
  /** Documents completed by these bytes. @throws Error for a line that is not JSON or never ends */
  push(chunk: Buffer): unknown[];
  /** Bytes of an unfinished line: not 0 at the end means the stream was cut. */
  readonly pending: number;
}

export function createJsonLines(): JsonLines {
  let parts: Buffer[] = [];
  let pending = 0;
  return {
    get pending() {
      return pending;
    },
    push(chunk) {
      const documents: unknown[] = [];
      let start = 0;
      // A line feed is never part of a longer UTF-8 character, so bytes can be cut before decoding.
      for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
        parts.push(chunk.subarray(start, end));
        const line = Buffer.concat(parts).toString('utf8').trim();
        parts = [];
        pending = 0;
        start = end + 1;
        if (line !== '') documents.push(parse(line));
      }
      if (start < chunk.length) {
        parts.push(chunk.subarray(start));
        pending += chunk.length - start;
      }
      if (pending > longestLine) throw new Error(`a line of the watch has no end after ${pending} bytes`);
      return documents;
    },
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw new Error(`a line of the watch is not JSON: ${line.slice(0, 80)}`, { cause: error });
  }
}
