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

/** @throws Refusal ListField, EmptyList, ShadowedEntry */
export function readDomains(canonical: Uint8Array): ListContent {
  const document = XmlDocument.fromBuffer(canonical, {
    option: ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE,
  });
  try {
    const { root } = document;
    refuseShadows(root);
    const generatedAt = field(root, 'DateDeGeneration');
    if (Number.isNaN(Date.parse(generatedAt)) || !/^\d{4}-\d\d-\d\dT/.test(generatedAt))
      throw new Refusal('ListField', `DateDeGeneration '${generatedAt}' is not an ISO 8601 time`);
    const domains = elementsOf(root, 'l:ListeDomaines/l:Domaine').map(readDomain);
    if (domains.length === 0)
      throw new Refusal('EmptyList', 'ListeDomaines has no Domaine: it would shut everyone out');
    return { generatedAt, domains };
  } finally {
    document.dispose();
  }
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
  if (commonName === undefined || organizationalUnit === undefined || otherNames.length > 0 || otherUnits.length > 0)
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
 * parentheses. Attribute types are upper-cased.
 */
export function parseDistinguishedName(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const pattern =
    /\s*([A-Za-z][A-Za-z0-9.-]*|\d+(?:\.\d+)*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^,+\\]|\\.)*))\s*(?:[,+]|$)/gy;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (!match) throw new Refusal('ListField', `distinguished name '${text}': nothing sensible at character ${at + 1}`);
    const value = (match[2] ?? match[3] ?? '')
      .trim()
      .replaceAll(/\\([0-9A-Fa-f]{2}|.)/g, (_whole, code: string) =>
        code.length === 2 ? String.fromCodePoint(Number.parseInt(code, 16)) : code,
      );
    const type = (match[1] ?? '').toUpperCase();
    found.set(type, [...(found.get(type) ?? []), value]);
  }
  return found;
}
