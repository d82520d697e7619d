/** Character sets of HL7 v2 as French senders name them in MSH-18 (ci-sis §2.7). */

export type CharacterSet = 'utf-8' | 'iso-8859-15' | 'iso-8859-1';

const NAMES: Readonly<Record<string, CharacterSet>> = {
  'UNICODE UTF-8': 'utf-8',
  'UTF-8': 'utf-8',
  '8859/15': 'iso-8859-15',
  '8859/1': 'iso-8859-1',
  ASCII: 'utf-8',
};

/** Every byte as the set's character, to write what we can read: no encoder but UTF-8 exists in the platform. */
function byteTable(set: CharacterSet): ReadonlyMap<string, number> {
  const decoder = new TextDecoder(set);
  return new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), byte] as const));
}

const TABLES = { 'iso-8859-15': byteTable('iso-8859-15'), 'iso-8859-1': byteTable('iso-8859-1') } as const;

/** @returns the set MSH-18 names, `absent` when it names none, undefined when we do not know the name. */
export function characterSetNamed(name: string): CharacterSet | 'absent' | undefined {
  const key = name.trim().toUpperCase();
  return key === '' ? 'absent' : NAMES[key];
}

/**
 * Without MSH-18 the samples hold either: strict UTF-8 first, since Latin text is almost never valid UTF-8 by chance.
 * @returns the text, or undefined when the bytes are not in the set they claim.
 */
export function decodeText(bytes: Uint8Array, set: CharacterSet | 'absent'): string | undefined {
  if (set !== 'absent') return tryDecode(bytes, set);
  return tryDecode(bytes, 'utf-8') ?? tryDecode(bytes, 'iso-8859-15');
}

function tryDecode(bytes: Uint8Array, set: CharacterSet): string | undefined {
  try {
    return new TextDecoder(set, { fatal: true }).decode(bytes);
  } catch {
    return undefined; // the caller names the field and the rule
  }
}

/** A character the set lacks becomes `?`: acknowledgements only carry our own diagnostics. */
export function encodeText(text: string, set: CharacterSet | 'absent' | undefined): Buffer {
  if (set === 'iso-8859-15' || set === 'iso-8859-1') {
    const table = TABLES[set];
    return Buffer.from(Array.from(text, (character) => table.get(character) ?? 0x3f));
  }
  return Buffer.from(text, 'utf8');
}
