/** SignedInfo: its algorithms, its two references and their transforms, each on an allow-list (ci-sis §10.2). */
import type { XmlElement } from 'libxml2-wasm';
import { algorithmOf, base64, children, elements, namespaceOf, one, prefixes, refuse, textOf } from './strict-xml.ts';
import { digests, ns, signatureMethods, signedPropertiesType, transforms, weakAlgorithms } from './xml-names.ts';

export interface SignedDigest {
  /** Node's name of it. */
  readonly algorithm: string;
  readonly value: Buffer;
}

/** The two references, and only these: the whole document, and the SignedProperties of this very signature. */
export function referencesOf(
  signedInfo: XmlElement,
  signedProperties: XmlElement,
): { readonly whole: XmlElement; readonly properties: XmlElement } {
  const [first, second, ...more] = elements(signedInfo.find('ds:Reference', prefixes));
  if (!first || !second || more.length > 0)
    refuse('References', 'two references are expected: the document and SignedProperties');
  const [whole, properties] = first.attr('URI')?.value === '' ? [first, second] : [second, first];
  if (whole.attr('URI')?.value !== '') refuse('References', 'no reference covers the whole document (URI="")');
  const target = `#${signedProperties.attr('Id')?.value ?? ''}`;
  if (properties.attr('Type')?.value !== signedPropertiesType || properties.attr('URI')?.value !== target)
    refuse('References', 'the second reference is not to the SignedProperties of this signature');
  checkDocumentTransforms(whole);
  checkPropertiesTransforms(properties);
  return { whole, properties };
}

const signedInfoParts = new Set(['CanonicalizationMethod', 'SignatureMethod', 'Reference']);

export function checkSignedInfo(signedInfo: XmlElement): void {
  const canonicalization = one(signedInfo, 'ds:CanonicalizationMethod');
  if (algorithmOf(canonicalization) !== ns.excC14n || children(canonicalization).length > 0)
    refuse(
      'Canonicalization',
      `CanonicalizationMethod ${algorithmOf(canonicalization)}: plain exclusive canonicalization is expected`,
    );
  if (children(signedInfo).some(({ name, namespaceUri }) => !signedInfoParts.has(name) || namespaceUri !== ns.ds))
    refuse('SignatureStructure', `SignedInfo holds more than ${[...signedInfoParts].join(', ')}`);
  const method = one(signedInfo, 'ds:SignatureMethod');
  const algorithm = algorithmOf(method);
  if (algorithm.includes('#hmac-'))
    refuse('HmacSignature', `${algorithm}: anyone holding the public key could have made it`);
  if (weakAlgorithms.has(algorithm)) refuse('WeakDigest', `${algorithm} is broken`);
  if (signatureMethods[algorithm] === undefined || children(method).length > 0)
    refuse('SignatureAlgorithm', `${algorithm} is not on the list of accepted signature algorithms`);
}

function checkDocumentTransforms(reference: XmlElement): void {
  const [remove, canonicalize, ...more] = elements(reference.find('ds:Transforms/ds:Transform', prefixes));
  if (
    elements(reference.find('ds:Transforms/ds:Transform', prefixes)).some(
      (transform) => algorithmOf(transform) === transforms.xslt,
    )
  )
    refuse('XsltTransform', 'XSLT is a program: never run');
  if (!remove || !canonicalize || more.length > 0)
    refuse('Transform', 'the document reference needs two transforms: take the signature away, canonicalize');
  checkRemoval(remove);
  if (algorithmOf(canonicalize) !== transforms.excC14n || children(canonicalize).length > 0)
    refuse('Transform', `${algorithmOf(canonicalize)} instead of plain exclusive canonicalization`);
}

/** The three ways to say "all but the signature"; any other path would leave part of the list unsigned. */
function checkRemoval(transform: XmlElement): void {
  const algorithm = algorithmOf(transform);
  const inner = children(transform);
  if (algorithm === transforms.enveloped) {
    if (inner.length > 0) refuse('Transform', 'the enveloped-signature transform takes no content');
    return;
  }
  const [xpath] = inner;
  if (!xpath || inner.length > 1) refuse('Transform', `${algorithm}: one XPath is expected`);
  const expression = textOf(xpath).replaceAll(/\s+/g, ' ').trim();
  // the prefix is the author's choice, what it means is not
  const prefix = /::([\w.-]+):Signature/.exec(expression)?.[1] ?? '';
  const bound = namespaceOf(xpath, prefix) === ns.ds;
  if (algorithm === transforms.filter2 && xpath.namespaceUri === ns.filter2) {
    if (xpath.attr('Filter')?.value !== 'subtract' || !bound || expression !== `/descendant::${prefix}:Signature`)
      refuse(
        'Transform',
        `XPath Filter 2.0 '${xpath.attr('Filter')?.value ?? ''} ${expression}': only 'subtract /descendant::ds:Signature' is accepted`,
      );
    return;
  }
  if (algorithm === transforms.xpath && xpath.namespaceUri === ns.ds) {
    if (!bound || expression !== `not(ancestor-or-self::${prefix}:Signature)`)
      refuse('Transform', `XPath '${expression}': only 'not(ancestor-or-self::ds:Signature)' is accepted`);
    return;
  }
  refuse('Transform', `${algorithm} is not an accepted transform`);
}

function checkPropertiesTransforms(reference: XmlElement): void {
  const found = elements(reference.find('ds:Transforms/ds:Transform', prefixes));
  if (
    found.length !== 1 ||
    found.some((transform) => algorithmOf(transform) !== transforms.excC14n || children(transform).length > 0)
  )
    refuse('Transform', 'SignedProperties take one transform: plain exclusive canonicalization');
}

/** DigestMethod and DigestValue of an element. */
export function digestOf(reference: XmlElement): SignedDigest {
  return {
    algorithm: digestAlgorithm(one(reference, 'ds:DigestMethod')),
    value: base64(one(reference, 'ds:DigestValue')),
  };
}

function digestAlgorithm(method: XmlElement): string {
  const algorithm = algorithmOf(method);
  if (weakAlgorithms.has(algorithm)) refuse('WeakDigest', `${algorithm} is broken`);
  return digests[algorithm] ?? refuse('DigestAlgorithm', `${algorithm} is not on the list of accepted digests`);
}
