/** Transfer syntaxes of WADO-RS between DRIMboxes (ci-sis §7.4): the ten allowed on the wire, and what each may hold. */
import { parseUid, type Uid } from '../domain.ts';

function known(text: string): Uid {
  const uid = parseUid(text);
  if (uid === undefined) throw new Error(text);
  return uid;
}

export const explicitVrLittleEndian = known('1.2.840.10008.1.2.1');

/** Most wanted first among equal q: stored lossless forms before lossy ones, uncompressed last of the lossless. */
export const allowedOnTheWire: readonly Uid[] = [
  '1.2.840.10008.1.2.4.70',
  '1.2.840.10008.1.2.4.80',
  '1.2.840.10008.1.2.1',
  '1.2.840.10008.1.2.4.91',
  '1.2.840.10008.1.2.4.50',
  '1.2.840.10008.1.2.4.51',
  '1.2.840.10008.1.2.4.100',
  '1.2.840.10008.1.2.4.101',
  '1.2.840.10008.1.2.4.102',
  '1.2.840.10008.1.2.4.103',
].map(known);

/** SOP classes without pixels: structured reports, key objects, presentation states, waveforms, documents, raw data, plans. */
const withoutPixels = [
  '1.2.840.10008.5.1.4.1.1.88.',
  '1.2.840.10008.5.1.4.1.1.11.',
  '1.2.840.10008.5.1.4.1.1.9.',
  '1.2.840.10008.5.1.4.1.1.104.',
  '1.2.840.10008.5.1.4.1.1.66',
  '1.2.840.10008.5.1.4.1.1.67',
  '1.2.840.10008.5.1.4.1.1.68.',
  '1.2.840.10008.5.1.4.1.1.481.3',
  '1.2.840.10008.5.1.4.1.1.481.5',
];

/** Objects that only exist in Explicit VR Little Endian on the wire (ci-sis §7.4, column non-image). */
export function isWithoutPixels(sopClass: string): boolean {
  return withoutPixels.some((prefix) => (prefix.endsWith('.') ? sopClass.startsWith(prefix) : sopClass === prefix));
}
