/** Explicit VR Little Endian, PS3.5 §7.1.2: elements in order of tag, values padded to even length, sequences with lengths. */

export type ShortVr = 'CS' | 'DA' | 'IS' | 'LO' | 'LT' | 'PN' | 'SH' | 'TM' | 'UI';
export type LongVr = 'UR' | 'UT';

export interface TextElement {
  readonly tag: number;
  readonly vr: ShortVr | LongVr;
  /** Latin-1 text, values of several separated by a backslash. */
  readonly value: string;
}
export interface SequenceElement {
  readonly tag: number;
  readonly vr: 'SQ';
  readonly items: readonly DataSet[];
}
export type Element = TextElement | SequenceElement;
export type DataSet = readonly Element[];

export const TAG = { item: 0xfffee000 } as const;

/** @throws RangeError when a value is too long for its VR, or has characters Latin-1 lacks. */
export function writeDataSet(elements: DataSet): Buffer {
  const ordered = elements.toSorted((a, b) => a.tag - b.tag);
  return Buffer.concat(ordered.flatMap(writeElement));
}

function writeElement(element: Element): Buffer[] {
  if (element.vr === 'SQ') {
    const items = element.items.flatMap((item) => {
      const body = writeDataSet(item);
      return [tagAndLength(TAG.item, body.length), body];
    });
    const length = items.reduce((total, part) => total + part.length, 0);
    return [longHeader(element.tag, 'SQ', length), ...items];
  }
  const value = pad(latin1(element), element.vr === 'UI' ? 0x00 : 0x20);
  if (element.vr === 'UT' || element.vr === 'UR') return [longHeader(element.tag, element.vr, value.length), value];
  if (value.length > 0xfffe) throw new RangeError(`${tagName(element.tag)}: ${value.length} bytes are too many`);
  const header = Buffer.alloc(8);
  writeTag(header, element.tag);
  header.write(element.vr, 4, 'latin1');
  header.writeUInt16LE(value.length, 6);
  return [header, value];
}

function longHeader(tag: number, vr: string, length: number): Buffer {
  const header = Buffer.alloc(12);
  writeTag(header, tag);
  header.write(vr, 4, 'latin1');
  header.writeUInt32LE(length, 8);
  return header;
}

function tagAndLength(tag: number, length: number): Buffer {
  const header = Buffer.alloc(8);
  writeTag(header, tag);
  header.writeUInt32LE(length, 4);
  return header;
}

function writeTag(header: Buffer, tag: number): void {
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xffff, 2);
}

function latin1({ tag, value }: TextElement): Buffer {
  if (/[^\0-\xFF]/.test(value)) throw new RangeError(`${tagName(tag)}: characters outside ISO_IR 100`);
  return Buffer.from(value, 'latin1');
}

function pad(value: Buffer, byte: number): Buffer {
  return value.length % 2 === 0 ? value : Buffer.concat([value, Buffer.of(byte)]);
}

/** (gggg,eeee), as DICOM prints tags. */
export function tagName(tag: number): string {
  const hex = tag.toString(16).padStart(8, '0').toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}
