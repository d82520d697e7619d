/** Canonical bytes of a subtree, by libxml2. The tree lives outside the JavaScript heap: it is lent and disposed. */
import { ParseOption, XmlC14NMode, XmlDocument, XmlElement } from 'libxml2-wasm';

export type Canonicalization = 'exclusive' | 'inclusive' | 'inclusive with comments';

const options = {
  exclusive: { mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0, withComments: false },
  inclusive: { mode: XmlC14NMode.XML_C14N_1_0, withComments: false },
  'inclusive with comments': { mode: XmlC14NMode.XML_C14N_1_0, withComments: true },
} as const;

/**
 * @param xml written by us, so no DTD.
 * @param subtrees XPath with local-name() of one element each, and how to canonicalize it.
 * @returns the bytes of each, in that order. @throws Error when a path names no element.
 */
export function canonicalSubtrees(
  xml: string,
  subtrees: readonly (readonly [xpath: string, how: Canonicalization])[],
): readonly Buffer[] {
  const document = XmlDocument.fromString(xml, { option: ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE });
  try {
    return subtrees.map(([xpath, how]) => {
      const node = document.get(xpath);
      if (!(node instanceof XmlElement)) throw new Error(`no element at ${xpath}`);
      return Buffer.from(node.canonicalizeToString(options[how]), 'utf8');
    });
  } finally {
    document.dispose();
  }
}
