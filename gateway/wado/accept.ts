/** The Accept header of WADO-RS, read tolerantly: what the ANS samples and the field really send (ci-sis §7.3, DB.SO.85). */
import { parseUid, type Uid } from '../domain.ts';
import { allowedOnTheWire, explicitVrLittleEndian } from './transfer-syntaxes.ts';

export interface AcceptedSyntax {
  readonly uid: Uid;
  /** 0 < q ≤ 1 */
  readonly q: number;
}

export type AcceptReading =
  { readonly ok: true; readonly syntaxes: readonly AcceptedSyntax[] } | { readonly ok: false; readonly detail: string };

/** Longest header looked at: ten ranges take about a thousand characters. */
const longestHeader = 16_384;

/**
 * @param values every Accept header, in order. None at all, any media type, or DICOM without a transfer syntax mean the default, Explicit VR LE.
 * @returns ordered by falling q, then by our own preference; each syntax once, with its highest q.
 */
export function readAccept(values: readonly string[]): AcceptReading {
  const joined = values.join(',');
  if (joined.length > longestHeader) return { ok: false, detail: `Accept is longer than ${longestHeader} characters` };
  const ranges = splitOutsideQuotes(joined, ',').filter((range) => range !== '');
  if (ranges.length === 0) return { ok: true, syntaxes: [{ uid: explicitVrLittleEndian, q: 1 }] };
  const found = new Map<Uid, number>();
  for (const { uid, q } of ranges.flatMap(readRange)) found.set(uid, Math.max(q, found.get(uid) ?? 0));
  const syntaxes = [...found].map(([uid, q]) => ({ uid, q })).filter(({ q }) => q > 0);
  if (syntaxes.length === 0)
    return { ok: false, detail: 'Accept names no transfer syntax that may be used between DRIMboxes (ci-sis §7.4)' };
  return { ok: true, syntaxes: syntaxes.toSorted((a, b) => b.q - a.q || preference(a.uid) - preference(b.uid)) };
}

function preference(uid: Uid): number {
  return allowedOnTheWire.indexOf(uid);
}

function readRange(range: string): AcceptedSyntax[] {
  const [media = '', ...parameters] = splitOutsideQuotes(range, ';');
  const named = new Map(parameters.map(readParameter));
  const q = readQ(named.get('q'));
  if (q === undefined || !isDicom(media, named.get('type'))) return [];
  const syntax = named.get('transfer-syntax');
  if (syntax === undefined || syntax === '*') return [{ uid: explicitVrLittleEndian, q }];
  const uid = parseUid(syntax);
  return uid !== undefined && allowedOnTheWire.includes(uid) ? [{ uid, q }] : [];
}

function isDicom(media: string, type: string | undefined): boolean {
  const name = media.toLowerCase();
  if (name === '*/*' || name === 'multipart/*') return true;
  return (
    name === 'multipart/related' &&
    (type === undefined || ['application/dicom', 'application/*', '*/*'].includes(type.toLowerCase()))
  );
}

function readParameter(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 0) return [text.trim().toLowerCase(), ''];
  return [
    text.slice(0, at).trim().toLowerCase(),
    text
      .slice(at + 1)
      .trim()
      .replaceAll(/^["“”]|["“”]$/g, ''),
  ];
}

/** Absent: 1. Not a number between 0 and 1: the range is passed over. */
function readQ(text: string | undefined): number | undefined {
  if (text === undefined) return 1;
  const q = /^(?:0(?:\.\d*)?|1(?:\.0*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  return Number.isNaN(q) ? undefined : q;
}

function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    if (text[at] !== separator || quoted) continue;
    parts.push(text.slice(start, at).trim());
    start = at + 1;
  }
  return [...parts, text.slice(start).trim()];
}
