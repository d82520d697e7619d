/** What a KOS says of itself (Part 10, Explicit VR Little Endian): enough to compare with its metadata. */
import { metadata } from './refusals.ts';

export interface KosHeader {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly patientId: string;
  readonly studyInstanceUid: string;
}

const longForm = new Set(['OB', 'OW', 'OF', 'OD', 'OL', 'OV', 'SQ', 'UC', 'UN', 'UR', 'UT', 'SV', 'UV']);
const UNDEFINED = 0xffffffff;

export function readKosHeader(bytes: Buffer): KosHeader {
  metadata(
    bytes.length > 132 && bytes.toString('latin1', 128, 132) === 'DICM',
    'the KOS is no DICOM Part 10 file',
    'XDSRepositoryMetadataError',
  );
  const values = new Map<number, string>();
  try {
    let at = 132;
    while (at < bytes.length) at = readElement(bytes, at, values);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    metadata(false, `the KOS is cut: ${error.message}`, 'XDSRepositoryMetadataError');
  }
  const value = (tag: number): string => values.get(tag)?.replace(/[\0 ]+$/, '') ?? '';
  return {
    sopClassUid: value(0x00080016),
    sopInstanceUid: value(0x00080018),
    patientId: value(0x00100020),
    studyInstanceUid: value(0x0020000d),
  };
}

/** @returns where the next element starts; sequences of undefined length are walked through. */
function readElement(bytes: Buffer, at: number, values: Map<number, string> | undefined): number {
  const tag = ((bytes.readUInt16LE(at) << 16) | bytes.readUInt16LE(at + 2)) >>> 0;
  const vr = bytes.toString('latin1', at + 4, at + 6);
  const long = longForm.has(vr);
  const length = long ? bytes.readUInt32LE(at + 8) : bytes.readUInt16LE(at + 6);
  const start = at + (long ? 12 : 8);
  if (length === UNDEFINED) return skipItems(bytes, start);
  if (start + length > bytes.length) throw new RangeError(`element ${tag.toString(16)} goes past the end`);
  values?.set(tag, vr === 'SQ' ? '' : bytes.toString('latin1', start, start + length));
  return start + length;
}

function skipItems(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const [element, length] = [bytes.readUInt16LE(at + 2), bytes.readUInt32LE(at + 4)];
    at += 8;
    if (element === 0xe0dd) return at;
    if (length !== UNDEFINED) at += length;
    else {
      while (!(bytes.readUInt16LE(at) === 0xfffe && bytes.readUInt16LE(at + 2) === 0xe00d))
        at = readElement(bytes, at, undefined);
      at += 8;
    }
  }
}
