/**
 * A CDA read as XML, namespace-aware, with libxml2 (0003-hl7.md says why): no DTD, no entity, no network, bounded size.
 * The tree lives outside the JavaScript heap, so it is only lent to a function and disposed after it.
 */
import { ParseOption, XmlDocument, XmlElement, XmlLibError, type XmlNode } from 'libxml2-wasm';

/** `h` is the CDA's own namespace; DICOM PS3.20 gives accessionNumber its own (ci-sis §3). */
const NAMESPACES = { h: 'urn:hl7-org:v3', 'ps3-20': 'urn:dicom-org:ps3-20' } as const;

// The message cap bounds the size, so libxml2's own limit on a text node (10 MB) only stands in the way of a large PDF.
const OPTIONS = (ParseOption.XML_PARSE_NONET |
  ParseOption.XML_PARSE_NO_XXE |
  ParseOption.XML_PARSE_HUGE) as ParseOption;

/** The document can't be read; `message` says why in words the sender can act on. */
export class CdaUnreadable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CdaUnreadable';
  }
}

export interface CdaNode {
  /** Trimmed text of the first match, or an empty string. */
  text(xpath: string): string;
  /** Trimmed texts of all matches that are not empty. */
  texts(xpath: string): readonly string[];
  nodes(xpath: string): readonly CdaNode[];
  has(xpath: string): boolean;
}

/** @throws CdaUnreadable when the bytes are no CDA or use a DTD. */
export function withCda<T>(bytes: Uint8Array, read: (document: CdaNode) => T): T {
  const text = decodeXml(bytes);
  if (/<!DOCTYPE/i.test(text)) throw new CdaUnreadable('a DOCTYPE is not allowed');
  const document = parse(text);
  try {
    const { root } = document;
    if (root.name !== 'ClinicalDocument' || root.namespaceUri !== NAMESPACES.h)
      throw new CdaUnreadable(`the root element is not ClinicalDocument of ${NAMESPACES.h}`);
    return read(lend(root));
  } finally {
    document.dispose();
  }
}

function parse(text: string): XmlDocument {
  try {
    return XmlDocument.fromString(text, { option: OPTIONS });
  } catch (error) {
    if (error instanceof XmlLibError)
      throw new CdaUnreadable(`not well-formed XML: ${error.message.trim().slice(0, 120)}`, { cause: error });
    throw error;
  }
}

/** Decoded here, so that no encoding can hide a DOCTYPE from the check; the declaration is dropped with its encoding. */
function decodeXml(bytes: Uint8Array): string {
  const declaration = /^\s*(?:\xEF\xBB\xBF)?<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(
    Buffer.from(bytes.subarray(0, 256)).toString('latin1'),
  );
  const encoding = declaration?.[1] ?? 'utf-8';
  if (!/^(?:utf-8|us-ascii|iso-8859-15?|windows-1252)$/i.test(encoding))
    throw new CdaUnreadable(`encoding ${encoding} is not taken`);
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.replace(/^\s*<\?xml[^>]*\?>/, '');
  } catch (error) {
    throw new CdaUnreadable(`the bytes are not ${encoding}`, { cause: error });
  }
}

function lend(node: XmlElement): CdaNode {
  const find = (xpath: string): readonly XmlNode[] => node.find(xpath, NAMESPACES);
  return {
    text: (xpath) => node.get(xpath, NAMESPACES)?.content.trim() ?? '',
    texts: (xpath) =>
      find(xpath)
        .map((found) => found.content.trim())
        .filter((value) => value !== ''),
    nodes: (xpath) => find(xpath).flatMap((found) => (found instanceof XmlElement ? [lend(found)] : [])),
    has: (xpath) => node.get(xpath, NAMESPACES) !== null,
  };
}
