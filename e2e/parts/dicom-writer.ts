/** A DICOM writer of the tests' own, so that what the gateway reads was not written by the gateway (PS3.5 §7, PS3.10 §7.1). */

export type Value = string | number | Buffer | readonly (readonly Written[])[];
/** Tag, VR, value: text is Latin-1, a number is US, a list of lists is a sequence. */
export type Written = readonly [tag: number, vr: string, value: Value];

const longVrs = new Set(['OB', 'OW', 'SQ', 'UC', 'UN', 'UR', 'UT']);

/** Elements in ascending order of tag. */
export function writeElements(elements: readonly Written[], explicit: boolean): Buffer {
  return Buffer.concat([...elements].sort((a, b) => a[0] - b[0]).map((element) => writeElement(element, explicit)));
}

function writeElement([tag, vr, value]: Written, explicit: boolean): Buffer {
  const bytes = padded(encode(value, explicit), vr);
  const long = explicit && longVrs.has(vr);
  const header = Buffer.alloc(long ? 12 : 8);
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xffff, 2);
  if (explicit) header.write(vr, 4, 'latin1');
  if (long) header.writeUInt32LE(bytes.length, 8);
  else if (explicit) header.writeUInt16LE(bytes.length, 6);
  else header.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

function encode(value: Value, explicit: boolean): Buffer {
  if (typeof value === 'string') return Buffer.from(value, 'latin1');
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(value);
    return bytes;
  }
  return Buffer.concat(value.map((item) => writeItem(writeElements(item, explicit))));
}

function writeItem(content: Buffer): Buffer {
  const header = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

function padded(bytes: Buffer, vr: string): Buffer {
  if (bytes.length % 2 === 0) return bytes;
  const binary = vr === 'UI' || vr === 'OB' || vr === 'UN';
  return Buffer.concat([bytes, Buffer.from(binary ? '\0' : ' ')]);
}

/** Preamble and group 0002. */
export function fileHeader(sopClassUid: string, sopInstanceUid: string, transferSyntaxUid: string): Buffer {
  const meta = writeElements(
    [
      [0x00020001, 'OB', Buffer.from([0, 1])],
      [0x00020002, 'UI', sopClassUid],
      [0x00020003, 'UI', sopInstanceUid],
      [0x00020010, 'UI', transferSyntaxUid],
      [0x00020012, 'UI', '2.25.217094530712460329842017395840129865417'],
    ],
    true,
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    writeElements([[0x00020000, 'UL', length]], true),
    meta,
  ]);
}

/** Where the data set begins in a Part 10 file. */
export function dataSetOffset(file: Buffer): number {
  if (file.toString('latin1', 128, 132) !== 'DICM' || file.readUInt16LE(132) !== 2)
    throw new Error('not a Part 10 file with a group length');
  return 132 + 12 + file.readUInt32LE(140);
}
