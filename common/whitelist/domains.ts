/** What the list says, read from the canonical bytes that the digest covered, and from nothing else (ci-sis §10.1). */
import { ParseOption, XmlDocument, type XmlElement, XmlElement as Element } from 'libxml2-wasm';
import { Refusal } from './reasons.ts';
import type { WhitelistDomain } from './whitelist.ts';
import { ns } from './xml-names.ts';

export interface ListContent {
  readonly generatedAt: string;
  readonly domains: readonly WhitelistDomain[];
}

const prefixes = { l: ns.list };

/** A date further ahead would keep every later list out (roll-back is judged on it). */
const aheadMs = 86_400_000;

/**
 * @param at now
 * @throws Refusal ListVersion, ListField, EmptyList, ShadowedEntry
 */
export function readDomains(canonical: Uint8Array, at: Date): ListContent {
  const document = XmlDocument.fromBuffer(canonical, {
    option: ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE,
  });
  try {
    const { root } = document;
    const version = root.attr('versionFormat')?.value ?? '';
    if (!/^1(\.\d+)*$/.test(version))
      throw new Refusal('ListVersion', `versionFormat '${version}'; 1.x is what this program reads`);
    refuseShadows(root);
    const generatedAt = field(root, 'DateDeGeneration');
    checkDate(generatedAt, at);
    const domains = elementsOf(root, 'l:ListeDomaines/l:Domaine').map(readDomain);
    if (domains.length === 0)
      throw new Refusal('EmptyList', 'ListeDomaines has no Domaine: it would shut everyone out');
    return { generatedAt, domains };
  } finally {
    document.dispose();
  }
}

function checkDate(text: string, at: Date): void {
  const time = Date.parse(text);
  if (Number.isNaN(time) || !/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text))
    throw new Refusal('ListField', `DateDeGeneration '${text}' is not an ISO 8601 time with its zone`);
  if (time > at.getTime() + aheadMs) throw new Refusal('ListField', `DateDeGeneration ${text} has not come yet`);
}

/** An entry in another place or vocabulary is signed too, but no reader agrees on what it means. */
function refuseShadows(root: XmlElement): void {
  const inPlace = elementsOf(root, 'l:ListeDomaines/l:Domaine').length;
  const anywhere = elementsOf(root, "//*[local-name() = 'Domaine']").length;
  if (inPlace !== anywhere)
    throw new Refusal('ShadowedEntry', `${anywhere - inPlace} Domaine outside ListeDomaines or its namespace`);
  if (elementsOf(root, 'l:ListeDomaines').length !== 1)
    throw new Refusal('ListField', 'exactly one ListeDomaines is expected');
}

function readDomain(domain: XmlElement): WhitelistDomain {
  const name = field(domain, 'DNCertificatOperateur');
  const values = parseDistinguishedName(name);
  const [commonName, ...otherNames] = values.get('CN') ?? [];
  const [organizationalUnit, ...otherUnits] = values.get('OU') ?? [];
  if (!commonName || !organizationalUnit || otherNames.length > 0 || otherUnits.length > 0)
    throw new Refusal('ListField', `DNCertificatOperateur '${name}' must hold one CN and one OU`);
  return {
    db: field(domain, 'db'),
    vi: optionalField(domain, 'vi'),
    commonName,
    organizationalUnit,
    denomination: optionalField(domain, 'Denomination'),
  };
}

function field(parent: XmlElement, name: string): string {
  const value = optionalField(parent, name);
  if (value === '') throw new Refusal('ListField', `${parent.name}/${name} is missing or empty, line ${parent.line}`);
  return value;
}

/** Text of a child element that holds text alone; empty when there is none. */
function optionalField(parent: XmlElement, name: string): string {
  const [child, ...more] = elementsOf(parent, `l:${name}`);
  if (!child) return '';
  if (more.length > 0) throw new Refusal('ListField', `${parent.name}/${name} stands twice, line ${parent.line}`);
  if (child.find('*').length > 0)
    throw new Refusal('ListField', `${parent.name}/${name} must hold text alone, line ${child.line}`);
  return child.content.trim();
}

function elementsOf(parent: XmlElement, path: string): XmlElement[] {
  return parent.find(path, prefixes).filter((node) => node instanceof Element);
}

/**
 * RFC 2253-like text: RDNs in any order, `,` or `+` between them, values that may be quoted, escaped or hold accents and
 * parentheses. A comma that no `TYPE=` follows belongs to the value: one sloppy name must not cost the whole country its list.
 * Attribute types are upper-cased.
 */
export function parseDistinguishedName(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const type = '[A-Za-z][A-Za-z0-9.-]*|\\d+(?:\\.\\d+)+';
  const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
  const plain = `((?!")(?:[^,+\\\\]|\\\\.|[,+](?!\\s*(?:${type})\\s*=))*)`;
  const pattern = new RegExp(`\\s*(${type})\\s*=\\s*(?:${quoted}|${plain})\\s*(?:[,+]|$)`, 'gy');
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (!match) throw new Refusal('ListField', `distinguished name '${text}': nothing sensible at character ${at + 1}`);
    const value = unescapeValue((match[2] ?? match[3] ?? '').trim());
    const name = (match[1] ?? '').toUpperCase();
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

/** RFC 4514 §2.4: pairs of hexadecimal digits are octets of UTF-8, any other escaped character is itself. */
function unescapeValue(text: string): string {
  return text
    .replaceAll(/(?:\\[0-9A-Fa-f]{2})+/g, (octets) => Buffer.from(octets.replaceAll('\\', ''), 'hex').toString('utf8'))
    .replaceAll(/\\(.)/gu, '$1');
}
