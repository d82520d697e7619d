/** Reading elements strictly: what is not asked for is refused, never passed over. */
import { XmlElement, XmlText, type XmlTreeNode } from 'libxml2-wasm';
import { Refusal, type WhitelistReason } from './reasons.ts';
import { ns } from './xml-names.ts';

export const prefixes = { l: ns.list, ds: ns.ds, x: ns.xades, f: ns.filter2 };

export function refuse(reason: WhitelistReason, detail: string): never {
  throw new Refusal(reason, detail);
}

export function elements(nodes: readonly unknown[]): XmlElement[] {
  return nodes.filter((node) => node instanceof XmlElement);
}

/** Element children; text that is not white space beside or instead of them is refused. */
export function children(parent: XmlElement): XmlElement[] {
  const found: XmlElement[] = [];
  for (let child: XmlTreeNode | null = parent.firstChild; child !== null; child = child.next) {
    if (child instanceof XmlElement) found.push(child);
    else if (child instanceof XmlText && child.content.trim() !== '')
      refuse('SignatureStructure', `text beside elements in ${parent.name}`);
  }
  return found;
}

export function one(parent: XmlElement, path: string): XmlElement {
  const found = elements(parent.find(path, prefixes));
  const [element] = found;
  if (!element || found.length > 1)
    refuse('SignatureStructure', `${found.length} ${path} in ${parent.name}, one is expected`);
  return element;
}

export function only(parent: XmlElement, name: string): XmlElement {
  const found = children(parent);
  const [element] = found;
  if (!element || found.length > 1 || element.name !== name)
    refuse('ForeignContent', `${parent.name} must hold ${name} alone`);
  return element;
}

export function algorithmOf(element: XmlElement): string {
  return element.attr('Algorithm')?.value ?? '';
}

/** Text of an element that holds nothing else. */
export function textOf(element: XmlElement): string {
  if (element.find('node()[not(self::text())]').length > 0)
    refuse('SignatureStructure', `${element.name} must hold text alone`);
  return element.content;
}

export function base64(element: XmlElement): Buffer {
  const text = textOf(element).replaceAll(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) refuse('SignatureStructure', `${element.name} is not base64`);
  return Buffer.from(text, 'base64');
}

/** The namespace that a prefix means at this element: the nearest declaration counts. */
export function namespaceOf(element: XmlElement, prefix: string): string | undefined {
  const own = element.nsDeclarations[prefix];
  if (own !== undefined) return own;
  const { parent } = element;
  return parent instanceof XmlElement ? namespaceOf(parent, prefix) : undefined;
}

/** The element children must be these, in this order; a name ending in `?` may be missing. */
export function expectChildren(parent: XmlElement, uri: string, names: readonly string[]): readonly XmlElement[] {
  const found = children(parent);
  const rest = [...found];
  for (const name of names) {
    const [next] = rest;
    if (next?.name === name.replace('?', '') && next.namespaceUri === uri) rest.shift();
    else if (!name.endsWith('?')) return refuse('SignatureStructure', mismatch(parent, found, names));
  }
  if (rest.length > 0) refuse('SignatureStructure', mismatch(parent, found, names));
  return found;
}

function mismatch(parent: XmlElement, found: readonly XmlElement[], names: readonly string[]): string {
  return `${parent.name} holds ${found.map(({ name }) => name).join(', ') || 'nothing'}; ${names.join(', ')} are expected in this order`;
}
