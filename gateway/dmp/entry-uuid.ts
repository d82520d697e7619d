/** entryUUID chosen by us (ITI TF-3 §4.1.12.3: a UUID given by the source is kept), the same on every retry. */
import { createHash } from 'node:crypto';
import type { Uid } from '../domain.ts';

/** Name space of OIDs, RFC 9562 §6.6. */
const OID_SPACE = Buffer.from('6ba7b8129dad11d180b400c04fd430c8', 'hex');

/** UUID version 5 of the uniqueId, RFC 9562 §5.5. */
export function entryUuidOf(uniqueId: Uid): string {
  const bytes = createHash('sha1').update(OID_SPACE).update(uniqueId).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
