/** Root part of an answer that may be multipart/related (RFC 2387); the rest of an answer to us is of no interest. */

/** @returns the bytes of the root part, or the body itself when it is not multipart. @throws AnswerUnreadable */
export function rootPart(contentType: string, body: Buffer): Buffer {
  if (!/^\s*multipart\/related\b/i.test(contentType)) return body;
  const boundary = parameter(contentType, 'boundary');
  if (boundary === undefined) throw new AnswerUnreadable('a multipart answer without boundary');
  const start = parameter(contentType, 'start');
  const parts = split(body, boundary);
  const root = start === undefined ? parts[0] : parts.find(({ headers }) => contentId(headers) === start);
  if (root === undefined) throw new AnswerUnreadable(`a multipart answer without its root part ${start ?? ''}`);
  return root.content;
}

/** What came back is no answer of a registry. */
export class AnswerUnreadable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AnswerUnreadable';
  }
}

interface Part {
  readonly headers: string;
  readonly content: Buffer;
}

function parameter(header: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^\\s;]+))`, 'i').exec(header);
  return found?.[1] ?? found?.[2];
}

function contentId(headers: string): string | undefined {
  return /^content-id:\s*(\S+)\s*$/im.exec(headers)?.[1];
}

function split(body: Buffer, boundary: string): readonly Part[] {
  // the first delimiter may stand at the very start, all others after CRLF (RFC 2046 §5.1.1)
  const text = Buffer.concat([Buffer.from('\r\n'), body]);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const parts: Part[] = [];
  let at = text.indexOf(delimiter);
  while (at >= 0) {
    const next = text.indexOf(delimiter, at + delimiter.length);
    if (next < 0) break;
    const part = text.subarray(text.indexOf('\r\n', at + delimiter.length), next);
    const end = part.indexOf('\r\n\r\n');
    if (end >= 0) parts.push({ headers: part.subarray(0, end).toString('latin1'), content: part.subarray(end + 4) });
    at = next;
  }
  return parts;
}
