/** Escape sequences of HL7 v2 text, HL7 v2.5 §2.7. */
export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}

/** `\H\` and `\N\` are highlighting and vanish; an unknown sequence stays as written. Hexadecimal is read as Latin-1. */
export function decodeEscapes(text: string, delimiters: Delimiters): string {
  const mark = delimiters.escape;
  if (!text.includes(mark)) return text;
  const parts = text.split(mark);
  let decoded = parts[0] ?? '';
  for (let at = 1; at < parts.length; at += 1) {
    const body = parts[at] ?? '';
    const closed = at + 1 < parts.length;
    const character = closed ? sequence(body, delimiters) : undefined;
    if (character === undefined) {
      decoded += mark + body;
    } else {
      decoded += character + (parts[at + 1] ?? '');
      at += 1;
    }
  }
  return decoded;
}

function sequence(body: string, delimiters: Delimiters): string | undefined {
  const named: Readonly<Record<string, string>> = {
    F: delimiters.field,
    S: delimiters.component,
    T: delimiters.subcomponent,
    R: delimiters.repetition,
    E: delimiters.escape,
    H: '',
    N: '',
    '.br': '\n',
  };
  if (Object.hasOwn(named, body)) return named[body];
  return /^X(?:[0-9A-Fa-f]{2})+$/.test(body) ? Buffer.from(body.slice(1), 'hex').toString('latin1') : undefined;
}

/** Makes any text safe inside a field: delimiters escaped, line ends and control characters flattened to spaces. */
export function encodeEscapes(text: string, delimiters: Delimiters): string {
  const names: Readonly<Record<string, string>> = {
    [delimiters.escape]: 'E',
    [delimiters.field]: 'F',
    [delimiters.component]: 'S',
    [delimiters.subcomponent]: 'T',
    [delimiters.repetition]: 'R',
  };
  let encoded = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const name = names[character];
    if (name !== undefined) encoded += delimiters.escape + name + delimiters.escape;
    else encoded += code < 0x20 || (code >= 0x7f && code < 0xa0) ? ' ' : character;
  }
  return encoded;
}
