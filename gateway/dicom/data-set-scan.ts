/**
 * Finds a few top-level elements at the head of an encoded data set without reading the rest. Sequences before the last
 * wanted element are stepped over. For what is sent through unread but must be known a little (UIDs, patient, frames).
 */
import { explicitVrBigEndian, deflatedExplicitVrLittleEndian, implicitVrLittleEndian } from './uids.ts';

export interface Scan {
  /** Raw value bytes by tag, of the wanted elements met so far. */
  readonly found: ReadonlyMap<number, Buffer>;
  /** `complete`: every wanted element was met or passed; `more`: the head is too short to say; `unreadable`: not a data set. */
  readonly state: 'complete' | 'more' | 'unreadable';
}

const undefinedLength = 0xffffffff;
const longVrs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const maxDepth = 16;

interface Header {
  readonly tag: number;
  readonly length: number;
  readonly valueOffset: number;
  /** UN of undefined length holds Implicit VR items (PS3.5 §6.2.2). */
  readonly explicitInside: boolean;
}

/**
 * @param head first bytes of the data set, in the encoding of `transferSyntaxUid` (little endian, not deflated)
 * @param wanted tags, e.g. 0x00080018; of top level only
 */
export function scanDataSet(head: Buffer, transferSyntaxUid: string, wanted: readonly number[]): Scan {
  const found = new Map<number, Buffer>();
  if (transferSyntaxUid === explicitVrBigEndian || transferSyntaxUid === deflatedExplicitVrLittleEndian)
    return { found, state: 'unreadable' };
  const explicit = transferSyntaxUid !== implicitVrLittleEndian;
  const last = Math.max(...wanted);
  let previous = -1;
  for (let offset = 0; ;) {
    const header = readHeader(head, offset, explicit);
    if (header === undefined) return { found, state: 'more' };
    // Ascending order is the one thing every data set has (PS3.5 §7.1); garbage loses it at once.
    if (header.tag <= previous) return { found, state: 'unreadable' };
    if (header.tag > last) return { found, state: 'complete' };
    const end = endOf(head, header, 0);
    if (end === undefined) return { found, state: 'more' };
    if (wanted.includes(header.tag)) found.set(header.tag, head.subarray(header.valueOffset, end));
    if (header.tag === last) return { found, state: 'complete' };
    previous = header.tag;
    offset = end;
  }
}

/** Text of a scanned UI or ASCII value, without padding. */
export function scannedText(value: Buffer | undefined): string {
  return value === undefined ? '' : value.toString('latin1').replace(/^ +|[\0 ]+$/g, '');
}

function readHeader(bytes: Buffer, offset: number, explicit: boolean): Header | undefined {
  if (offset + 8 > bytes.length) return undefined;
  const tag = bytes.readUInt16LE(offset) * 0x10000 + bytes.readUInt16LE(offset + 2);
  if (!explicit || tag >>> 16 === 0xfffe)
    return { tag, length: bytes.readUInt32LE(offset + 4), valueOffset: offset + 8, explicitInside: false };
  const vr = bytes.toString('latin1', offset + 4, offset + 6);
  if (!longVrs.has(vr))
    return { tag, length: bytes.readUInt16LE(offset + 6), valueOffset: offset + 8, explicitInside: true };
  if (offset + 12 > bytes.length) return undefined;
  return { tag, length: bytes.readUInt32LE(offset + 8), valueOffset: offset + 12, explicitInside: vr !== 'UN' };
}

/** Offset after an element, undefined when it is not all here. */
function endOf(bytes: Buffer, header: Header, depth: number): number | undefined {
  if (header.length !== undefinedLength) {
    const end = header.valueOffset + header.length;
    return end > bytes.length ? undefined : end;
  }
  if (depth > maxDepth) return undefined;
  for (let offset = header.valueOffset; ;) {
    const inner = readHeader(bytes, offset, header.explicitInside);
    if (inner === undefined) return undefined;
    if (inner.tag === 0xfffee0dd || inner.tag === 0xfffee00d) return inner.valueOffset;
    const nested = {
      ...inner,
      explicitInside: inner.tag === 0xfffee000 ? header.explicitInside : inner.explicitInside,
    };
    const end = endOf(bytes, nested, depth + 1);
    if (end === undefined) return undefined;
    offset = end;
  }
}
