/**
 * Reads a data set as text values and sequences: Explicit and Implicit VR Little Endian (PS3.5 §7.1), any lengths.
 * For KOS from anywhere: every length is checked against what is there, depth is bounded.
 */
import { tagName } from './data-set-writer.ts';
import { SEQUENCES } from './tags.ts';

/** The bytes are not a DICOM data set, or not a KOS; says where. */
export class KosUnreadable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KosUnreadable';
  }
}

export interface ReadElement {
  readonly bytes: Buffer;
  readonly items: readonly ReadDataSet[];
}
export type ReadDataSet = ReadonlyMap<number, ReadElement>;

const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const MAX_DEPTH = 16;
/** VRs whose length takes four bytes after two reserved ones, PS3.5 table 7.1-1. */
const LONG_VRS = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

interface Header {
  readonly tag: number;
  readonly vr: string | undefined;
  readonly length: number;
}

/** @throws KosUnreadable */
export function readDataSet(bytes: Buffer, explicit: boolean): ReadDataSet {
  return new DataSetReader(bytes, explicit).read(bytes.length, 0);
}

class DataSetReader {
  readonly #bytes: Buffer;
  readonly #explicit: boolean;
  #at = 0;

  constructor(bytes: Buffer, explicit: boolean) {
    this.#bytes = bytes;
    this.#explicit = explicit;
  }

  /** Elements up to `end`, or to an item delimiter. */
  read(end: number, depth: number): ReadDataSet {
    if (depth > MAX_DEPTH) throw new KosUnreadable(`byte ${this.#at}: sequences nest deeper than ${MAX_DEPTH}`);
    const elements = new Map<number, ReadElement>();
    while (this.#at < end) {
      const header = this.#header(end);
      if (header.tag === ITEM_END) break;
      elements.set(header.tag, this.#element(header, end, depth));
    }
    return elements;
  }

  #element(header: Header, end: number, depth: number): ReadElement {
    const { tag, vr, length } = header;
    const isSequence = vr === 'SQ' || length === UNDEFINED_LENGTH || (vr === undefined && SEQUENCES.has(tag));
    // A sequence of unknown VR and undefined length is encoded as Implicit VR (PS3.5 §6.2.2): only our own tags matter, so it is refused.
    if (vr === 'UN' && isSequence) throw new KosUnreadable(`${tagName(tag)}: sequence of VR UN`);
    if (isSequence) return { bytes: Buffer.alloc(0), items: this.#items(length, end, depth) };
    return { bytes: this.#take(length, end), items: [] };
  }

  #items(length: number, end: number, depth: number): readonly ReadDataSet[] {
    const sequenceEnd = length === UNDEFINED_LENGTH ? end : this.#within(length, end);
    const items: ReadDataSet[] = [];
    while (this.#at < sequenceEnd) {
      const { tag, length: itemLength } = this.#delimiter(sequenceEnd);
      if (tag === SEQUENCE_END) return items;
      if (tag !== ITEM) throw new KosUnreadable(`byte ${this.#at}: ${tagName(tag)} where an item was due`);
      const itemEnd = itemLength === UNDEFINED_LENGTH ? sequenceEnd : this.#within(itemLength, sequenceEnd);
      items.push(this.read(itemEnd, depth + 1));
    }
    return items;
  }

  #header(end: number): Header {
    const { tag, length } = this.#delimiter(end);
    if (!this.#explicit || tag >>> 16 === 0xfffe) return { tag, vr: undefined, length };
    this.#at -= 4;
    const vr = this.#take(2, end).toString('latin1');
    if (!/^[A-Z]{2}$/.test(vr)) throw new KosUnreadable(`${tagName(tag)}: no VR at byte ${this.#at - 2}`);
    if (!LONG_VRS.has(vr)) return { tag, vr, length: this.#take(2, end).readUInt16LE(0) };
    this.#take(2, end);
    return { tag, vr, length: this.#take(4, end).readUInt32LE(0) };
  }

  #delimiter(end: number): { tag: number; length: number } {
    const raw = this.#take(8, end);
    return { tag: raw.readUInt16LE(0) * 0x10000 + raw.readUInt16LE(2), length: raw.readUInt32LE(4) };
  }

  #take(length: number, end: number): Buffer {
    const from = this.#at;
    this.#at = this.#within(length, end);
    return this.#bytes.subarray(from, this.#at);
  }

  #within(length: number, end: number): number {
    if (this.#at + length > end)
      throw new KosUnreadable(`byte ${this.#at}: ${length} bytes announced, ${end - this.#at} left`);
    return this.#at + length;
  }
}
