/** Text of a data set by its SpecificCharacterSet (PS3.3 §C.12.1.1.2, PS3.5 §6.1), with the platform's decoders. */

/** Defined terms, with and without code extensions, to WHATWG encoding labels. */
const labels: Readonly<Record<string, string>> = {
  // ISO_IR 6 is ASCII. Latin-1 contains it, and is what a peer that forgot to declare its accents nearly always sent.
  '': 'latin1',
  'ISO_IR 6': 'latin1',
  'ISO 2022 IR 6': 'latin1',
  'ISO_IR 100': 'latin1',
  'ISO 2022 IR 100': 'latin1',
  'ISO_IR 101': 'iso-8859-2',
  'ISO 2022 IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO 2022 IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO 2022 IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO 2022 IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO 2022 IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO 2022 IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO 2022 IR 138': 'iso-8859-8',
  'ISO_IR 148': 'windows-1254',
  'ISO 2022 IR 148': 'windows-1254',
  'ISO_IR 203': 'iso-8859-15',
  'ISO 2022 IR 203': 'iso-8859-15',
  'ISO_IR 166': 'windows-874',
  'ISO 2022 IR 166': 'windows-874',
  'ISO_IR 13': 'shift_jis',
  'ISO 2022 IR 13': 'shift_jis',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

/** Escape sequences that switch G1 (PS3.3 table C.12-3), after the ESC byte, to labels. */
const escapes: Readonly<Record<string, string>> = {
  '-A': 'latin1',
  '-B': 'iso-8859-2',
  '-C': 'iso-8859-3',
  '-D': 'iso-8859-4',
  '-L': 'iso-8859-5',
  '-G': 'iso-8859-6',
  '-F': 'iso-8859-7',
  '-H': 'iso-8859-8',
  '-M': 'windows-1254',
  '-b': 'iso-8859-15',
  '-T': 'windows-874',
  '(B': 'latin1',
};

/** @param specificCharacterSet (0008,0005) as read, values separated by backslashes */
export function textDecoder(specificCharacterSet: string): (bytes: Buffer) => string {
  const first = (specificCharacterSet.split('\\')[0] ?? '').trim();
  const label = labels[first];
  if (label === undefined) throw new CharacterSetError(first);
  return (bytes) => decode(bytes, label);
}

export class CharacterSetError extends Error {
  override readonly name = 'CharacterSetError';
  constructor(term: string) {
    super(`SpecificCharacterSet "${term}" is not one this DRIMbox reads: the PACS must answer in another`);
  }
}

function decode(bytes: Buffer, label: string): string {
  if (!bytes.includes(0x1b)) return new TextDecoder(label).decode(bytes);
  let text = '';
  let current = label;
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(0x1b, start);
    const end = found < 0 ? bytes.length : found;
    text += new TextDecoder(current).decode(bytes.subarray(start, end));
    if (found < 0) break;
    const escape = bytes.toString('latin1', found + 1, found + 3);
    current = escapes[escape] ?? current;
    start = found + 3;
  }
  return text;
}
