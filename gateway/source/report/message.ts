/**
 * An HL7 v2 message as segments, fields, repetitions, components and subcomponents, delimiters taken from the message
 * (HL7 v2.5 chapter 2). Reading never fails on content: an absent place is an empty string.
 */
import { type CharacterSet, characterSetNamed, decodeText } from './charset.ts';
import { type Delimiters, decodeEscapes } from './escapes.ts';
import type { ReportFault } from './report.ts';

export class Repetition {
  readonly #components: readonly string[];
  readonly #delimiters: Delimiters;
  constructor(raw: string, delimiters: Delimiters) {
    this.#components = raw.split(delimiters.component);
    this.#delimiters = delimiters;
  }
  /** Decoded and trimmed; positions count from 1. `""`, HL7's explicit null, reads as empty. */
  value(component = 1, subcomponent = 1): string {
    const raw = (this.#components[component - 1] ?? '').split(this.#delimiters.subcomponent)[subcomponent - 1] ?? '';
    return raw === '""' ? '' : decodeEscapes(raw, this.#delimiters).trim();
  }
}

export class Segment {
  readonly name: string;
  readonly #fields: readonly string[];
  readonly #delimiters: Delimiters;
  constructor(line: string, delimiters: Delimiters) {
    const fields = line.split(delimiters.field);
    this.name = fields[0] ?? '';
    // MSH-1 is the field separator itself, so its fields count from one place later.
    this.#fields = this.name === 'MSH' ? ['MSH', delimiters.field, ...fields.slice(1)] : fields;
    this.#delimiters = delimiters;
  }
  /** Field text undecoded, with all its repetitions. */
  raw(field: number): string {
    return this.#fields[field] ?? '';
  }
  repetitions(field: number): readonly Repetition[] {
    const raw = this.raw(field);
    return raw === ''
      ? []
      : raw.split(this.#delimiters.repetition).map((part) => new Repetition(part, this.#delimiters));
  }
  /** First repetition, decoded. */
  value(field: number, component = 1, subcomponent = 1): string {
    return this.repetitions(field)[0]?.value(component, subcomponent) ?? '';
  }
}

export interface Hl7Message {
  readonly delimiters: Delimiters;
  readonly characterSet: CharacterSet | 'absent';
  readonly header: Segment;
  readonly segments: readonly Segment[];
}

export type MessageParse =
  | { readonly kind: 'message'; readonly message: Hl7Message }
  /** `header` is there whenever MSH could be read, so the refusal can name the message it answers. */
  | { readonly kind: 'unreadable'; readonly header: Segment | undefined; readonly fault: ReportFault };

/** @param bytes one message without MLLP framing. */
export function parseMessage(bytes: Buffer): MessageParse {
  const start = startOfMessage(bytes);
  const first = firstSegment(bytes.subarray(start));
  const delimiters = readDelimiters(first);
  if (delimiters === undefined) return { kind: 'unreadable', header: undefined, fault: notHl7 };
  const header = new Segment(first, delimiters);
  const characterSet = characterSetNamed(header.value(18));
  if (characterSet === undefined) return { kind: 'unreadable', header, fault: unknownCharacterSet(header.value(18)) };
  const text = decodeText(bytes.subarray(start), characterSet);
  if (text === undefined) return { kind: 'unreadable', header, fault: wrongCharacterSet(header.value(18)) };
  const segments = splitSegments(text, delimiters.field).map((line) => new Segment(line, delimiters));
  const [decodedHeader = header] = segments;
  return { kind: 'message', message: { delimiters, characterSet, header: decodedHeader, segments } };
}

/** White space, NULs and a byte order mark before MSH are harmless. */
function startOfMessage(bytes: Buffer): number {
  let at = bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
  while (at < bytes.length && [0x00, 0x09, 0x0a, 0x0d, 0x20].includes(bytes[at] ?? -1)) at += 1;
  return at;
}

/** MSH before its character set is known: everything we need of it is ASCII. */
function firstSegment(bytes: Buffer): string {
  return (
    bytes
      .subarray(0, 4096)
      .toString('latin1')
      .split(/[\r\n]/)[0] ?? ''
  ).trimEnd();
}

function readDelimiters(line: string): Delimiters | undefined {
  const [field, component, repetition, escape, subcomponent] = line.slice(3, 8);
  if (!line.startsWith('MSH') || field === undefined || component === undefined) return undefined;
  if (repetition === undefined || escape === undefined || subcomponent === undefined) return undefined;
  const delimiters = { field, component, repetition, escape, subcomponent };
  const distinct = new Set(Object.values(delimiters));
  const punctuation = [...distinct].every((character) => /[^\sA-Za-z0-9]/.test(character));
  return distinct.size === 5 && punctuation ? delimiters : undefined;
}

/** Segments end in CR; LF and CRLF are read too. A line that opens no segment continues the field before it (base64 wrapped by the sender). */
function splitSegments(text: string, separator: string): readonly string[] {
  const segments: string[][] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    const opens = /^[A-Z][A-Z0-9]{2}/.test(line) && line[3] === separator;
    const current = segments.at(-1);
    if (opens || current === undefined) segments.push([line]);
    else current.push(line);
  }
  return segments.map((lines) => lines.join(''));
}

const notHl7: ReportFault = {
  code: '100',
  field: 'MSH',
  rule: 'a message starts with MSH, its field separator and four more distinct delimiters',
  advice: 'send HL7 v2 in ER7 (pipe) form, framed by MLLP',
  source: 'ci-sis §2.1',
};

function unknownCharacterSet(name: string): ReportFault {
  return {
    code: '103',
    field: 'MSH-18',
    rule: `"${name.slice(0, 40)}" is not a character set of this profile`,
    advice: 'use "UNICODE UTF-8" or "8859/15"',
    source: 'ci-sis §2.7',
  };
}

function wrongCharacterSet(name: string): ReportFault {
  return {
    code: '102',
    field: 'MSH-18',
    rule: `the bytes of the message are not ${name === '' ? 'text' : name}`,
    advice: 'encode the message in the character set MSH-18 names',
    source: 'ci-sis §2.7',
  };
}
