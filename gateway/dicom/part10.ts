/** Part 10 file header (PS3.10 §7.1): what must stand before an encoded data set to make it a file. */
import { implementationClassUid, implementationVersionName } from './uids.ts';

export interface FileMeta {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** Of the data set that follows, unchanged. */
  readonly transferSyntaxUid: string;
  /** (0002,0016), when the sender is known. */
  readonly sourceAeTitle?: string;
}

/** @returns preamble, `DICM` and group 0002 in Explicit VR Little Endian. */
export function part10Header(meta: FileMeta): Buffer {
  const group = Buffer.concat([
    long(0x0001, 'OB', Buffer.from([0, 1])),
    short(0x0002, 'UI', meta.sopClassUid),
    short(0x0003, 'UI', meta.sopInstanceUid),
    short(0x0010, 'UI', meta.transferSyntaxUid),
    short(0x0012, 'UI', implementationClassUid),
    short(0x0013, 'SH', implementationVersionName),
    meta.sourceAeTitle === undefined || meta.sourceAeTitle === ''
      ? Buffer.alloc(0)
      : short(0x0016, 'AE', meta.sourceAeTitle),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(group.length);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), element(0x0000, 'UL', length), group]);
}

function short(number: number, vr: string, value: string): Buffer {
  const even = value.length % 2 === 0 ? value : value + (vr === 'UI' ? '\0' : ' ');
  return element(number, vr, Buffer.from(even, 'latin1'));
}

function element(number: number, vr: string, value: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(0x0002, 0);
  header.writeUInt16LE(number, 2);
  header.write(vr, 4, 'latin1');
  header.writeUInt16LE(value.length, 6);
  return Buffer.concat([header, value]);
}

/** OB and its like: two reserved bytes and a 32-bit length. */
function long(number: number, vr: string, value: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16LE(0x0002, 0);
  header.writeUInt16LE(number, 2);
  header.write(vr, 4, 'latin1');
  header.writeUInt32LE(value.length, 8);
  return Buffer.concat([header, value]);
}
