/** Unique identifiers of the services and encodings this room speaks (PS3.6 annex A), and the names we present ourselves by. */
import { type Uid, parseUid } from '../domain.ts';

function known(text: string): Uid {
  const uid = parseUid(text);
  if (uid === undefined) throw new Error(`"${text}" is not a UID`);
  return uid;
}

export const applicationContext = known('1.2.840.10008.3.1.1.1');
export const verification = known('1.2.840.10008.1.1');
export const studyRootFind = known('1.2.840.10008.5.1.4.1.2.2.1');
export const studyRootMove = known('1.2.840.10008.5.1.4.1.2.2.2');

export const implicitVrLittleEndian = known('1.2.840.10008.1.2');
export const explicitVrLittleEndian = known('1.2.840.10008.1.2.1');
export const deflatedExplicitVrLittleEndian = known('1.2.840.10008.1.2.1.99');
export const explicitVrBigEndian = known('1.2.840.10008.1.2.2');

/** (0002,0012) and item 0x52: one UUID-derived UID for this implementation (PS3.5 annex B.2). */
export const implementationClassUid = known('2.25.190425537614482110842394155823766401287');
/** (0002,0013) and item 0x55, at most 16 characters. */
export const implementationVersionName = 'DRIMBOX_1';

/**
 * Is this abstract syntax an object we can receive by C-STORE? Standard ones are told by their branch of PS3.6;
 * private ones (vendors' raw data) have no branch, so everything outside the DICOM root counts as storage.
 */
export function isStorageSopClass(abstractSyntax: string): boolean {
  if (!abstractSyntax.startsWith('1.2.840.10008.')) return true;
  return abstractSyntax.startsWith('1.2.840.10008.5.1.4.1.1.') || abstractSyntax.startsWith('1.2.840.10008.5.1.4.34.7');
}
