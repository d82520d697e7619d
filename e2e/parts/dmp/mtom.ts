/** MTOM as the DMP wants it (ci-sis §6.3): every header, CRLF, nothing left over. */
import { SoapFault } from './refusals.ts';

export interface MimePart {
  readonly headers: ReadonlyMap<string, string>;
  readonly content: Buffer;
}

export interface MtomRequest {
  readonly root: Buffer;
  /** By Content-ID without brackets. */
  readonly parts: ReadonlyMap<string, MimePart>;
}

const CRLF = Buffer.from('\r\n');

function demand(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new SoapFault('mtom:Malformed', reason);
}

export function parameterOf(header: string, name: string): string {
  const match = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^;\\s]*))`, 'i').exec(header);
  return match?.[1] ?? match?.[2] ?? '';
}

export function readMtom(contentType: string, body: Buffer, action: string): MtomRequest {
  demand(/^multipart\/related;/i.test(contentType), 'Content-Type is not multipart/related');
  demand(parameterOf(contentType, 'type') === 'application/xop+xml', 'type is not application/xop+xml');
  demand(
    parameterOf(contentType, 'start-info') === 'application/soap+xml',
    'start-info is not application/soap+xml: SOAP 1.2 is wanted',
  );
  const start = parameterOf(contentType, 'start');
  const parts = partsOf(body, parameterOf(contentType, 'boundary'));
  const byId = new Map(parts.map((part) => [part.headers.get('content-id') ?? '', part] as const));
  demand(byId.size === parts.length && !byId.has(''), 'each part needs a Content-ID of its own');
  const root = byId.get(start);
  demand(root !== undefined && root === parts[0], `the first part is not the root ${start}`);
  const rootType = root.headers.get('content-type') ?? '';
  demand(
    rootType.startsWith('application/xop+xml') && parameterOf(rootType, 'type') === 'application/soap+xml',
    `the root part is ${rootType}, not application/xop+xml; type="application/soap+xml"`,
  );
  demand(parameterOf(contentType, 'action') === action || action === '', 'action of Content-Type is not wsa:Action');
  for (const part of parts)
    demand(part.headers.get('content-transfer-encoding') === 'binary', 'Content-Transfer-Encoding is not binary');
  return {
    root: root.content,
    parts: new Map([...byId].map(([id, part]) => [id.replace(/^<|>$/g, ''), part] as const)),
  };
}

function partsOf(body: Buffer, boundary: string): readonly MimePart[] {
  demand(boundary !== '', 'no boundary');
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: MimePart[] = [];
  demand(body.subarray(0, delimiter.length).equals(delimiter), 'the body does not start with its boundary');
  let at = delimiter.length;
  for (;;) {
    if (body.subarray(at, at + 2).toString('latin1') === '--') {
      demand(body.subarray(at + 2).equals(CRLF) || at + 2 === body.length, 'something follows the last boundary');
      return parts;
    }
    demand(body.subarray(at, at + 2).equals(CRLF), 'a boundary line does not end with CRLF');
    const headEnd = body.indexOf('\r\n\r\n', at);
    const next = body.indexOf(Buffer.concat([CRLF, delimiter]), headEnd + 2);
    demand(headEnd >= 0 && next >= 0, 'a part has no end');
    const content = body.subarray(headEnd + 4, next);
    parts.push({ headers: headersOf(body.subarray(at + 2, headEnd).toString('latin1')), content });
    at = next + 2 + delimiter.length;
  }
}

function headersOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\r\n').map((line) => {
      const colon = line.indexOf(':');
      demand(colon > 0 && !line.includes('\n'), `a part header is malformed: ${line}`);
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
}
