/** Text fit for ISO_IR 100 (DB.CS.160): what Latin-1 lacks is written with what it has, and said (ci-sis §16 row 54). */

const NEAR: Readonly<Record<string, string>> = {
  œ: 'oe',
  Œ: 'OE',
  Ÿ: 'Y',
  '’': "'",
  '‘': "'",
  '‚': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '–': '-',
  '—': '-',
  '‐': '-',
  '‑': '-',
  '…': '...',
  '•': '·',
  '€': 'EUR',
  '™': '(TM)',
  '\u2009': ' ',
  '\u202F': ' ',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ı: 'i',
};

export interface Transliteration {
  readonly text: string;
  /** Characters that were replaced, each once, in the order met. */
  readonly replaced: readonly string[];
}

/** A letter with a mark Latin-1 lacks keeps the letter; what has no likeness becomes `?`. */
export function toLatin1(text: string): Transliteration {
  const replaced = new Set<string>();
  const written = Array.from(text.normalize('NFC'), (character) => {
    if (character <= '\u00FF') return character;
    replaced.add(character);
    const near = NEAR[character] ?? character.normalize('NFKD').replaceAll(/\p{M}/gu, '');
    return /^[\0-\xFF]+$/.test(near) ? near : '?';
  });
  return { text: written.join(''), replaced: [...replaced] };
}
