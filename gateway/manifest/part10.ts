/** DICOM file, PS3.10 §7.1: preamble, prefix, file meta information, data set. */
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
/** Ours: a UUID once drawn, under 2.25. */
const IMPLEMENTATION_CLASS_UID = '2.25.293567451096805124263338796797522530539';
const IMPLEMENTATION_VERSION = 'DRIMBOX_1';

/** @param dataSet in Explicit VR Little Endian. */
export function wrapPart10(sopClassUid: string, sopInstanceUid: string, dataSet: Buffer): Buffer {
  const meta = Buffer.concat([
    Buffer.from([0x02, 0, 0x01, 0, 0x4f, 0x42, 0, 0, 2, 0, 0, 0, 0x00, 0x01]), // (0002,0001) OB 00 01
    short(0x0002, 'UI', sopClassUid),
    short(0x0003, 'UI', sopInstanceUid),
    short(0x0010, 'UI', EXPLICIT_LITTLE_ENDIAN),
    short(0x0012, 'UI', IMPLEMENTATION_CLASS_UID),
    short(0x0013, 'SH', IMPLEMENTATION_VERSION),
  ]);
  const length = Buffer.from([0x02, 0, 0x00, 0, 0x55, 0x4c, 4, 0, 0, 0, 0, 0]); // (0002,0000) UL
  length.writeUInt32LE(meta.length, 8);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM', 'latin1'), length, meta, dataSet]);
}

function short(element: number, vr: 'UI' | 'SH', value: string): Buffer {
  const padded = value.length % 2 === 0 ? value : `${value}${vr === 'UI' ? '\0' : ' '}`;
  const header = Buffer.alloc(8);
  header.writeUInt16LE(0x0002, 0);
  header.writeUInt16LE(element, 2);
  header.write(vr, 4, 'latin1');
  header.writeUInt16LE(padded.length, 6);
  return Buffer.concat([header, Buffer.from(padded, 'latin1')]);
}
