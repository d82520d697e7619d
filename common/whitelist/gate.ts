/**
 * The structural gate: the document and its signature must have exactly the shape that ANS signs (ci-sis §10.2) before any digest
 * is computed. What is not expected is refused, each with its own reason: a valid signature does not say what may be read.
 */
import { type XmlDocument, XmlElement, XmlText, type XmlTreeNode } from 'libxml2-wasm';
import { Refusal, type WhitelistReason } from './reasons.ts';
import { digests, ns, signatureMethods, signedPropertiesType, transforms, weakAlgorithms } from './xml-names.ts';

export interface SignatureParts {
  readonly signature: XmlElement;
  readonly signedInfo: XmlElement;
  readonly signedProperties: XmlElement;
  readonly signatureMethod: string;
  readonly signatureValue: Buffer;
  readonly documentDigest: { readonly algorithm: string; readonly value: Buffer };
  readonly propertiesDigest: { readonly algorithm: string; readonly value: Buffer };
  /** DER, in the order of KeyInfo. */
  readonly certificates: readonly Buffer[];
  readonly signingTime: string;
  readonly signingCertificate: { readonly algorithm: string; readonly value: Buffer };
}

const prefixes = { l: ns.list, ds: ns.ds, x: ns.xades, f: ns.filter2 };

/** @throws Refusal */
export function passGate(document: XmlDocument): SignatureParts {
  const { root } = document;
  if (document.dtd !== null) refuse('DocumentType', 'a DOCTYPE is never needed here and can redefine what is read');
  if (root.name !== 'ListeBlancheDRIM-M' || root.namespaceUri !== ns.list)
    refuse('UnexpectedRoot', `root element is {${root.namespaceUri}}${root.name}`);
  const signature = onlySignature(root);
  refuseAsides(document);
  refuseDuplicateIds(root);
  refuseForeignContent(signature);
  return partsOf(signature);
}

function refuse(reason: WhitelistReason, detail: string): never {
  throw new Refusal(reason, detail);
}

function onlySignature(root: XmlElement): XmlElement {
  const found = elements(root.find('//ds:Signature', prefixes));
  const [signature] = found;
  if (!signature) refuse('Unsigned', 'there is no ds:Signature');
  if (found.length > 1) refuse('SeveralSignatures', `${found.length} ds:Signature elements, one is expected`);
  if (root.find('/*/*[last()][self::ds:Signature]', prefixes).length !== 1)
    refuse('SignaturePlacement', 'ds:Signature must be the last child of the root element');
  return signature;
}

/** A comment or an instruction vanishes or splits a value in one reader and not in the other. */
function refuseAsides(document: XmlDocument): void {
  const { root } = document;
  const [comment] = root.find('//comment()');
  if (comment) refuse('Comment', `a comment at line ${comment.line}: values could be read two ways`);
  const [instruction] = root.find('//processing-instruction()');
  if (instruction) refuse('ProcessingInstruction', `a processing instruction at line ${instruction.line}`);
}

function refuseDuplicateIds(root: XmlElement): void {
  const ids = root.find("//@*[translate(local-name(), 'ID', 'id') = 'id']").map((attribute) => attribute.content);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) refuse('DuplicateId', `Id '${twice}' stands twice: a reference could mean either`);
}

/** Under ds:Signature nothing is covered by the document's digest: only its own vocabulary may stand there. */
function refuseForeignContent(signature: XmlElement): void {
  const own: readonly string[] = [ns.ds, ns.xades, ns.xades141, ns.filter2, ns.excC14n];
  const foreign = elements(signature.find('descendant::*')).find((element) => !own.includes(element.namespaceUri));
  if (foreign)
    refuse(
      'ForeignContent',
      `{${foreign.namespaceUri}}${foreign.name} inside ds:Signature, line ${foreign.line}: not covered by the document's digest`,
    );
}

function partsOf(signature: XmlElement): SignatureParts {
  const names = children(signature).map((child) => child.name);
  if (names.join() !== 'SignedInfo,SignatureValue,KeyInfo,Object')
    refuse(
      'SignatureStructure',
      `ds:Signature holds ${names.join(', ')}; SignedInfo, SignatureValue, KeyInfo and Object are expected, once each`,
    );
  const signedInfo = one(signature, 'ds:SignedInfo');
  checkSignedInfo(signedInfo);
  const qualifying = only(one(signature, 'ds:Object'), 'QualifyingProperties');
  const id = signature.attr('Id')?.value ?? '';
  if (id === '' || qualifying.attr('Target')?.value !== `#${id}`)
    refuse('SignatureStructure', 'QualifyingProperties/@Target does not name this signature');
  const signedProperties = one(qualifying, 'x:SignedProperties');
  const { whole, properties } = referencesOf(signedInfo, signedProperties);
  return {
    signature,
    signedInfo,
    signedProperties,
    signatureMethod: signatureMethods[algorithmOf(one(signedInfo, 'ds:SignatureMethod'))] ?? '',
    signatureValue: base64(one(signature, 'ds:SignatureValue')),
    documentDigest: digestOf(whole),
    propertiesDigest: digestOf(properties),
    certificates: certificatesOf(signature),
    signingTime: textOf(one(signedProperties, 'x:SignedSignatureProperties/x:SigningTime')),
    signingCertificate: signingCertificateOf(signedProperties),
  };
}

/** The two references, and only these: the whole document, and the SignedProperties of this very signature. */
function referencesOf(
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

function checkSignedInfo(signedInfo: XmlElement): void {
  const canonicalization = one(signedInfo, 'ds:CanonicalizationMethod');
  if (algorithmOf(canonicalization) !== ns.excC14n || children(canonicalization).length > 0)
    refuse(
      'Canonicalization',
      `CanonicalizationMethod ${algorithmOf(canonicalization)}: plain exclusive canonicalization is expected`,
    );
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
  const prefix = prefixBoundTo(xpath, ns.ds);
  if (algorithm === transforms.filter2 && xpath.namespaceUri === ns.filter2) {
    if (xpath.attr('Filter')?.value !== 'subtract' || expression !== `/descendant::${prefix}:Signature`)
      refuse(
        'Transform',
        `XPath Filter 2.0 '${xpath.attr('Filter')?.value ?? ''} ${expression}': only 'subtract /descendant::ds:Signature' is accepted`,
      );
    return;
  }
  if (algorithm === transforms.xpath && xpath.namespaceUri === ns.ds) {
    if (expression !== `not(ancestor-or-self::${prefix}:Signature)`)
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

function digestOf(reference: XmlElement): SignatureParts['documentDigest'] {
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

function certificatesOf(signature: XmlElement): readonly Buffer[] {
  const found = elements(signature.find('ds:KeyInfo/ds:X509Data/ds:X509Certificate', prefixes));
  if (found.length === 0 || found.length > 8)
    refuse('NoSigningCertificate', `${found.length} certificates in KeyInfo; one to eight are expected`);
  return found.map(base64);
}

/** SigningCertificateV2, or V1 of older signers: the digest that ties the signature to one certificate. */
function signingCertificateOf(signedProperties: XmlElement): SignatureParts['signingCertificate'] {
  const found = elements(
    signedProperties.find(
      'x:SignedSignatureProperties/*[self::x:SigningCertificateV2 or self::x:SigningCertificate]/x:Cert/x:CertDigest',
      prefixes,
    ),
  );
  const [digest] = found;
  if (!digest || found.length > 1)
    refuse(
      'NoSigningCertificate',
      'SignedProperties must name the signing certificate once (SigningCertificateV2 or SigningCertificate)',
    );
  return { algorithm: digestAlgorithm(one(digest, 'ds:DigestMethod')), value: base64(one(digest, 'ds:DigestValue')) };
}

function elements(nodes: readonly unknown[]): XmlElement[] {
  return nodes.filter((node) => node instanceof XmlElement);
}

/** Element children; text that is not white space beside them is refused. */
function children(parent: XmlElement): XmlElement[] {
  const found: XmlElement[] = [];
  for (let child: XmlTreeNode | null = parent.firstChild; child !== null; child = child.next) {
    if (child instanceof XmlElement) found.push(child);
    else if (child instanceof XmlText && found.length > 0 && child.content.trim() !== '')
      refuse('SignatureStructure', `text beside elements in ${parent.name}`);
  }
  return found;
}

function one(parent: XmlElement, path: string): XmlElement {
  const found = elements(parent.find(path, prefixes));
  const [element] = found;
  if (!element || found.length > 1)
    refuse('SignatureStructure', `${found.length} ${path} in ${parent.name}, one is expected`);
  return element;
}

function only(parent: XmlElement, name: string): XmlElement {
  const found = children(parent);
  const [element] = found;
  if (!element || found.length > 1 || element.name !== name)
    refuse('ForeignContent', `${parent.name} must hold ${name} alone`);
  return element;
}

function algorithmOf(element: XmlElement): string {
  return element.attr('Algorithm')?.value ?? '';
}

/** Text of an element that holds nothing else. */
function textOf(element: XmlElement): string {
  if (element.find('node()[not(self::text())]').length > 0)
    refuse('SignatureStructure', `${element.name} must hold text alone`);
  return element.content;
}

function base64(element: XmlElement): Buffer {
  const text = textOf(element).replaceAll(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) refuse('SignatureStructure', `${element.name} is not base64`);
  return Buffer.from(text, 'base64');
}

function prefixBoundTo(element: XmlElement, uri: string): string {
  return (
    Object.entries(element.nsDeclarations).find(([, bound]) => bound === uri)?.[0] ?? inheritedPrefix(element, uri)
  );
}

function inheritedPrefix(element: XmlElement, uri: string): string {
  const { parent } = element;
  return parent instanceof XmlElement ? prefixBoundTo(parent, uri) : '';
}
