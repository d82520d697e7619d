/** Reading XML with xmldom: a reader other than the gateway's. */
import { DOMParser, type Document, type Element, type Node, XMLSerializer } from '@xmldom/xmldom';

export type { Document, Element } from '@xmldom/xmldom';

/** @throws Error when it is not well-formed or has a DOCTYPE. */
export function parseXml(text: string): Document {
  if (/<!DOCTYPE/i.test(text)) throw new Error('a DOCTYPE is not taken');
  const parser = new DOMParser({
    onError: (level, message) => {
      if (level !== 'warning') throw new Error(`not well-formed: ${message}`);
    },
  });
  return parser.parseFromString(text, 'text/xml');
}

export function writeXml(node: Node): string {
  return new XMLSerializer().serializeToString(node);
}

export function rootOf(document: Document): Element {
  if (document.documentElement === null) throw new Error('no root element');
  return document.documentElement;
}

/** Child elements in order, of one name when given. */
export function children(parent: Element, namespace?: string, name?: string): readonly Element[] {
  return [...parent.childNodes].filter(
    (node): node is Element =>
      node.nodeType === 1 &&
      (namespace === undefined || (node as Element).namespaceURI === namespace) &&
      (name === undefined || (node as Element).localName === name),
  );
}

/** The one element at that path of local names in one namespace; undefined when a step is absent or ambiguous. */
export function descend(from: Element, namespace: string, ...path: readonly string[]): Element | undefined {
  let at: Element | undefined = from;
  for (const step of path) {
    const found: readonly Element[] = at === undefined ? [] : children(at, namespace, step);
    at = found.length === 1 ? found[0] : undefined;
  }
  return at;
}

export function textOf(node: Element | undefined): string {
  return node?.textContent?.trim() ?? '';
}

export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
