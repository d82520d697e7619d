/**
 * Small data sets (C-FIND identifiers) to elements and back, in Implicit and Explicit VR Little Endian (PS3.5 §7).
 * Images never come here: they stay bytes.
 */
import { maxSequenceDepth } from '../limits.ts';

export interface Element {
  readonly value: Buffer;
  readonly items: readonly DataSet[];
}

export type DataSet = ReadonlyMap<number, Element>;

/** The bytes are not a data set of the negotiated transfer syntax. */
export class DataSetError extends Error {
  override readonly name = 'DataSetError';
}

const undefinedLength = 0xffffffff;
const item = 0xfffee000;
const itemEnd = 0xfffee00d;
const sequenceEnd = 0xfffee0dd;
/** VRs with two reserved bytes and a 32-bit length (PS3.5 table 7.1-1). */
const longVrs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
/** Implicit VR does not say what is a sequence; of those with a defined length we read these. */
const knownSequences = new Set([0x00101002, 0x00100024, 0x00080051]);

interface Header {
  readonly tag: number;
  readonly isSequence: boolean;
  readonly length: number;
  readonly valueOffset: number;
}

/** @throws DataSetError naming the element at fault */
export function readDataSet(bytes: Buffer, explicit: boolean): DataSet {
  return readElements(bytes, 0, bytes.length, explicit, 0).dataSet;
}

function readElements(
  bytes: Buffer,
  start: number,
  limit: number,
  explicit: boolean,
  depth: number,
): { dataSet: DataSet; end: number } {
  if (depth > maxSequenceDepth) throw new DataSetError(`sequences are nested deeper than ${maxSequenceDepth}`);
  const dataSet = new Map<number, Element>();
  let offset = start;
  while (offset < limit) {
    const header = readHeader(bytes, offset, limit, explicit);
    if (header.tag === itemEnd) return { dataSet, end: header.valueOffset };
    if (header.isSequence) {
      const { items, end } = readItems(bytes, header, limit, explicit, depth + 1);
      dataSet.set(header.tag, { value: Buffer.alloc(0), items });
      offset = end;
    } else {
      offset = header.valueOffset + header.length;
      if (offset > limit) throw new DataSetError(`element ${name(header.tag)} is cut`);
      dataSet.set(header.tag, { value: bytes.subarray(header.valueOffset, offset), items: [] });
    }
  }
  return { dataSet, end: offset };
}

function readItems(
  bytes: Buffer,
  sequence: Header,
  limit: number,
  explicit: boolean,
  depth: number,
): { items: DataSet[]; end: number } {
  const open = sequence.length === undefinedLength;
  const end = open ? limit : sequence.valueOffset + sequence.length;
  if (end > limit) throw new DataSetError(`sequence ${name(sequence.tag)} is cut`);
  const items: DataSet[] = [];
  let offset = sequence.valueOffset;
  while (offset < end) {
    const header = readHeader(bytes, offset, end, false);
    if (header.tag === sequenceEnd) return { items, end: header.valueOffset };
    if (header.tag !== item)
      throw new DataSetError(`${name(header.tag)} stands where an item of ${name(sequence.tag)} was due`);
    const defined = header.length !== undefinedLength;
    const itemLimit = defined ? header.valueOffset + header.length : end;
    if (itemLimit > end) throw new DataSetError(`an item of ${name(sequence.tag)} is cut`);
    const read = readElements(bytes, header.valueOffset, itemLimit, explicit, depth);
    items.push(read.dataSet);
    offset = defined ? itemLimit : read.end;
  }
  if (open) throw new DataSetError(`sequence ${name(sequence.tag)} has no end`);
  return { items, end: offset };
}

function readHeader(bytes: Buffer, offset: number, limit: number, explicit: boolean): Header {
  if (offset + 8 > limit) throw new DataSetError('an element header is cut');
  const tag = bytes.readUInt16LE(offset) * 0x10000 + bytes.readUInt16LE(offset + 2);
  if (!explicit || tag >>> 16 === 0xfffe) {
    const length = bytes.readUInt32LE(offset + 4);
    const isSequence = tag >>> 16 !== 0xfffe && (length === undefinedLength || knownSequences.has(tag));
    return { tag, isSequence, length, valueOffset: offset + 8 };
  }
  const vr = bytes.toString('latin1', offset + 4, offset + 6);
  if (!longVrs.has(vr))
    return { tag, isSequence: false, length: bytes.readUInt16LE(offset + 6), valueOffset: offset + 8 };
  if (offset + 12 > limit) throw new DataSetError(`the header of ${name(tag)} is cut`);
  const length = bytes.readUInt32LE(offset + 8);
  return { tag, isSequence: vr === 'SQ' || length === undefinedLength, length, valueOffset: offset + 12 };
}

/** An element to write; `SQ` is written empty, which asks for the whole sequence. */
export interface Key {
  readonly tag: number;
  readonly vr: 'AE' | 'CS' | 'DA' | 'IS' | 'LO' | 'SH' | 'SQ' | 'TM' | 'UI';
  readonly value?: string;
}

/** @param keys in any order; values are ASCII */
export function writeDataSet(keys: readonly Key[], explicit: boolean): Buffer {
  const ordered = [...keys].sort((a, b) => a.tag - b.tag);
  return Buffer.concat(ordered.map((key) => writeElement(key, explicit)));
}

function writeElement({ tag, vr, value = '' }: Key, explicit: boolean): Buffer {
  const text = value.length % 2 === 0 ? value : value + (vr === 'UI' ? '\0' : ' ');
  const isLong = explicit && longVrs.has(vr);
  const header = Buffer.alloc(isLong ? 12 : 8);
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xffff, 2);
  if (explicit) header.write(vr, 4, 'latin1');
  if (isLong) header.writeUInt32LE(text.length, 8);
  else if (explicit) header.writeUInt16LE(text.length, 6);
  else header.writeUInt32LE(text.length, 4);
  return Buffer.concat([header, Buffer.from(text, 'latin1')]);
}

function name(tag: number): string {
  const hex = tag.toString(16).padStart(8, '0');
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}
