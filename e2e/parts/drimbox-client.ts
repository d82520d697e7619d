/**
 * A remote DRIMbox that asks for a series: mutual TLS with SNI, HTTP/1.1, and a strict multipart reader of its own. A response
 * without its closing boundary is an error, never a short series.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';

export interface SeriesCall {
  /** RetrieveURL of the KOS. */
  readonly url: string;
  /** Where the FQDN is reached in a test: SNI and Host stay those of the URL. */
  readonly connectTo?: { readonly host: string; readonly port: number };
  readonly certificateFile?: string;
  readonly keyFile?: string;
  readonly caFile: string;
  readonly token?: string;
  readonly kosSopInstanceUid?: string;
  readonly accept?: readonly string[];
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly host?: string;
  readonly serverName?: string;
  readonly signal?: AbortSignal;
  /** Called with each part's bytes as it ends; parts are not kept otherwise. */
  readonly onPart?: (part: ReceivedPart, file: Buffer) => void;
  /** Waits this long between reads: a slow caller. */
  readonly pauseMs?: number;
  /** The same, asked before each read: a caller who may hurry in the end. */
  readonly pace?: () => number;
}

export interface ReceivedPart {
  readonly transferSyntaxUid: string;
  readonly bytes: number;
  /** SHA-256 of the data set, what follows the Part 10 meta group. */
  readonly dataSetSha256: string;
  readonly sopInstanceUid: string;
}

export interface SeriesAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of an answer that is not multipart. */
  readonly body: string;
  readonly parts: readonly ReceivedPart[];
  readonly bytes: number;
  readonly firstPartMs: number;
  readonly totalMs: number;
}

/** Lossless first, as CI-SIS asks (ci-sis §7.3). */
export const losslessAccept: readonly string[] = (
  [
    ['1.2.840.10008.1.2.4.70', '0.9'],
    ['1.2.840.10008.1.2.4.80', '0.8'],
    ['1.2.840.10008.1.2.4.91', '0.6'],
    ['1.2.840.10008.1.2.4.50', '0.5'],
    ['1.2.840.10008.1.2.4.51', '0.5'],
    ['1.2.840.10008.1.2.1', '0.4'],
  ] as const
).map(([uid, q]) => `multipart/related; type="application/dicom";transfer-syntax=${uid};q=${q};boundary=**`);

/** @throws Error when the connection breaks, or the multipart body is not whole. */
export async function fetchSeries(call: SeriesCall): Promise<SeriesAnswer> {
  const started = performance.now();
  const response = await openSeries(call);
  const status = response.statusCode ?? 0;
  const type = response.headers['content-type'] ?? '';
  if (status !== 200 || !type.startsWith('multipart/related')) {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    return {
      status,
      headers: response.headers,
      body,
      parts: [],
      bytes: body.length,
      firstPartMs: 0,
      totalMs: performance.now() - started,
    };
  }
  const boundary = boundaryOf(type);
  const parts: ReceivedPart[] = [];
  let firstPartMs = 0;
  let bytes = 0;
  for await (const { transferSyntaxUid, file } of readParts(response, boundary, call.pace ?? call.pauseMs ?? 0)) {
    if (parts.length === 0) firstPartMs = performance.now() - started;
    bytes += file.length;
    const part = describe(transferSyntaxUid, file);
    parts.push(part);
    call.onPart?.(part, file);
  }
  return {
    status,
    headers: response.headers,
    body: '',
    parts,
    bytes,
    firstPartMs,
    totalMs: performance.now() - started,
  };
}

/** @throws Error when there is none. */
export function boundaryOf(contentType: string): string {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error(`no boundary in ${contentType}`);
  return boundary;
}

/** Sends the request; the body is the caller's to read. */
export function openSeries(call: SeriesCall): Promise<IncomingMessage> {
  const url = new URL(call.url);
  const options: RequestOptions = {
    host: call.connectTo?.host ?? url.hostname,
    port: call.connectTo?.port ?? (url.port === '' ? 443 : Number(url.port)),
    path: `${url.pathname}${url.search}`,
    method: call.method ?? 'GET',
    servername: call.serverName ?? url.hostname,
    ca: readFileSync(call.caFile),
    ...(call.certificateFile !== undefined &&
      call.keyFile !== undefined && { cert: readFileSync(call.certificateFile), key: readFileSync(call.keyFile) }),
    agent: false,
    ...(call.signal && { signal: call.signal }),
    headers: {
      host: call.host ?? url.host,
      accept: [...(call.accept ?? losslessAccept)],
      ...(call.token !== undefined && { authorization: `Bearer ${call.token}` }),
      ...(call.kosSopInstanceUid !== undefined && { 'KOS-SOPInstanceUID': call.kosSopInstanceUid }),
      ...Object.fromEntries(
        Object.entries(call.headers ?? {}).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : [...value],
        ]),
      ),
    },
  };
  return new Promise((resolve, reject) => {
    const sent = request(options, resolve);
    sent.once('error', reject);
    sent.end();
  });
}

/** RFC 2046 §5.1, strictly: every part has its headers, and the closing boundary must come. */
export async function* readParts(
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  boundary: string,
  pauseMs: number | (() => number),
): AsyncGenerator<{ transferSyntaxUid: string; file: Buffer }> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const window = createWindow(Buffer.from('\r\n'));
  let state: 'preamble' | 'part' | 'closed' = 'preamble';
  for await (const chunk of body) {
    window.add(chunk);
    const pause = typeof pauseMs === 'number' ? pauseMs : pauseMs();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    for (let at = window.indexOf(delimiter); at >= 0 && state !== 'closed'; at = window.indexOf(delimiter)) {
      const after = window.peek(at + delimiter.length, 2);
      if (after === undefined) break;
      const content = window.take(at, delimiter.length + 2);
      if (state === 'part') yield parsePart(content);
      state = after === '--' ? 'closed' : 'part';
    }
  }
  if (state !== 'closed') throw new Error('the response ended without its closing boundary: the series is truncated');
}

/** Bytes not yet understood; a search goes on where the last one stopped, so that a large part is not read twice. */
function createWindow(initial: Buffer): {
  add(chunk: Buffer): void;
  indexOf(mark: Buffer): number;
  peek(at: number, length: number): string | undefined;
  take(until: number, skip: number): Buffer;
} {
  let chunks: Buffer[] = [initial];
  let searched = 0;
  const joined = (): Buffer => {
    const [only] = chunks;
    if (chunks.length === 1 && only) return only;
    const all = Buffer.concat(chunks);
    chunks = [all];
    return all;
  };
  return {
    add: (chunk) => void chunks.push(chunk),
    indexOf(mark) {
      const last = chunks.at(-1);
      // join only when the newest bytes may hold the mark, or it may straddle: a part of many chunks is joined once
      if (chunks.length > 1 && last && last.indexOf(mark) < 0 && !straddles(chunks, mark)) return -1;
      const all = joined();
      const at = all.indexOf(mark, Math.max(0, searched - mark.length));
      searched = at < 0 ? all.length : at;
      return at;
    },
    peek(at, length) {
      const all = joined();
      return at + length <= all.length ? all.toString('latin1', at, at + length) : undefined;
    },
    take(until, skip) {
      const all = joined();
      chunks = [all.subarray(until + skip)];
      searched = 0;
      return all.subarray(0, until);
    },
  };
}

function straddles(chunks: readonly Buffer[], mark: Buffer): boolean {
  const tail = Buffer.concat(
    chunks
      .slice(-3)
      .map((chunk) =>
        chunk.length > 2 * mark.length
          ? Buffer.concat([chunk.subarray(0, mark.length), chunk.subarray(-mark.length)])
          : chunk,
      ),
  );
  return tail.indexOf(mark) >= 0;
}

function parsePart(content: Buffer): { transferSyntaxUid: string; file: Buffer } {
  const headersEnd = content.indexOf('\r\n\r\n');
  if (headersEnd < 0) throw new Error('a part without headers');
  const headers = content.toString('latin1', 0, headersEnd);
  const transferSyntaxUid = /content-type:\s*application\/dicom;\s*transfer-syntax=([\d.]+)/i.exec(headers)?.[1];
  if (transferSyntaxUid === undefined) throw new Error(`a part without its transfer syntax (DB.SO.85): ${headers}`);
  return { transferSyntaxUid, file: content.subarray(headersEnd + 4) };
}

/** @throws Error when it is not a Part 10 file. */
export function describe(transferSyntaxUid: string, file: Buffer): ReceivedPart {
  if (file.toString('latin1', 128, 132) !== 'DICM') throw new Error('a part that is not a Part 10 file');
  const metaLength = file.readUInt32LE(140);
  const dataSet = file.subarray(144 + metaLength);
  return {
    transferSyntaxUid,
    bytes: file.length,
    dataSetSha256: createHash('sha256').update(dataSet).digest('hex'),
    sopInstanceUid: metaUid(file, 0x0003, metaLength),
  };
}

/** Value of (0002,element) in the meta group, Explicit VR Little Endian. */
function metaUid(file: Buffer, element: number, metaLength: number): string {
  let at = 144;
  while (at < 144 + metaLength) {
    const long = ['OB', 'UN'].includes(file.toString('latin1', at + 4, at + 6));
    const length = long ? file.readUInt32LE(at + 8) : file.readUInt16LE(at + 6);
    const start = at + (long ? 12 : 8);
    if (file.readUInt16LE(at + 2) === element) return file.toString('latin1', start, start + length).replace(/\0$/, '');
    at = start + length;
  }
  throw new Error(`no (0002,${element.toString(16)}) in the meta group`);
}
