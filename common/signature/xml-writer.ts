/** XML written from values that others chose: text and attributes are always escaped, what XML 1.0 can't hold is refused. */

declare const written: unique symbol;
/** XML already written; made only here. */
export interface Xml {
  readonly text: string;
  readonly [written]: true;
}

export type XmlContent = Xml | string | undefined | readonly XmlContent[];

/** A value holds a character that XML 1.0 §2.2 does not allow. */
export class UnwritableText extends RangeError {
  constructor(codePoint: number, text: string) {
    super(
      `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')} can't be written in XML, in ${JSON.stringify(text.slice(0, 64))}: remove it at the source`,
    );
    this.name = 'UnwritableText';
  }
}

const forbidden = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

function checked(text: string): string {
  const found = forbidden.exec(text);
  if (found) throw new UnwritableText(found[0].codePointAt(0) ?? 0, text);
  return text;
}

function escapeText(text: string): string {
  return checked(text).replaceAll(/[&<>\r]/g, (character) => entities[character] ?? character);
}

/** Line ends and tabs as references: attribute normalisation would turn them into spaces (XML 1.0 §3.3.3). */
function escapeAttribute(text: string): string {
  return checked(text).replaceAll(/[&<>"\t\n\r]/g, (character) => entities[character] ?? character);
}

/**
 * @param name and attribute names are ours, never from outside.
 * @param attributes those that are undefined are left out.
 * @throws UnwritableText
 */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...content: readonly XmlContent[]
): Xml {
  const opening = Object.entries(attributes)
    .flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${escapeAttribute(value)}"`]))
    .join('');
  const inside = content.map(write).join('');
  return { text: inside === '' ? `<${name}${opening}/>` : `<${name}${opening}>${inside}</${name}>` } as Xml;
}

function write(content: XmlContent): string {
  if (content === undefined) return '';
  if (typeof content === 'string') return escapeText(content);
  return isList(content) ? content.map(write).join('') : content.text;
}

function isList(content: Xml | readonly XmlContent[]): content is readonly XmlContent[] {
  return Array.isArray(content);
}
