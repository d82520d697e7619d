/** Distinguished names as text: RFC 2253 as Envoy writes them, and OpenSSL's one attribute a line as Node writes them. */

/** Attribute types upper-cased, values in the order written; multi-valued RDNs and reordering don't matter. */
export type NameAttributes = ReadonlyMap<string, readonly string[]>;

const attribute =
  /\s*([A-Za-z][A-Za-z0-9.-]*|\d+(?:\.\d+)+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^,+;"\\]|\\.)*))\s*(?:[,+;]|$)/gy;

/** @returns undefined when some of the text is not a name: never half a name. */
export function parseRfc2253(text: string): NameAttributes | undefined {
  const found = new Map<string, string[]>();
  attribute.lastIndex = 0;
  while (attribute.lastIndex < text.length) {
    const match = attribute.exec(text);
    if (!match) return undefined;
    const type = (match[1] ?? '').toUpperCase();
    const value = unescapeValue((match[2] ?? match[3] ?? '').trim());
    found.set(type, [...(found.get(type) ?? []), value]);
  }
  return found;
}

/** `\,` stands for itself; `\C3\A9` are bytes of UTF-8 (RFC 2253 §2.4). */
function unescapeValue(text: string): string {
  return text
    .replaceAll(/(?:\\[0-9A-Fa-f]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString('utf8'))
    .replaceAll(/\\(.)/g, '$1');
}

/** The one value of an attribute; undefined when there is none, or more than one: ambiguity is never resolved by taking the first. */
export function singleValue(name: NameAttributes, type: string): string | undefined {
  const values = name.get(type) ?? [];
  return values.length === 1 ? values[0] : undefined;
}
