/**
 * The structural gate: the document and its signature must have exactly the shape that ANS signs (ci-sis §10.2) before any digest
 * is computed. What is not expected is refused, each with its own reason: a valid signature does not say what may be read.
 */
import type { XmlDocument, XmlElement } from 'libxml2-wasm';
import { type SignedDigest, checkSignedInfo, digestOf, referencesOf } from './signed-info.ts';
import { algorithmOf, base64, elements, expectChildren, one, only, prefixes, refuse, textOf } from './strict-xml.ts';
import { ns, signatureMethods } from './xml-names.ts';

export interface SignatureParts {
  readonly signature: XmlElement;
  readonly signedInfo: XmlElement;
  readonly signedProperties: XmlElement;
  readonly signatureMethod: string;
  readonly signatureValue: Buffer;
  readonly documentDigest: SignedDigest;
  readonly propertiesDigest: SignedDigest;
  /** DER, in the order of KeyInfo. */
  readonly certificates: readonly Buffer[];
  readonly signingTime: string;
  readonly signingCertificate: SignedDigest;
}

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

function onlySignature(root: XmlElement): XmlElement {
  const found = elements(root.find('//ds:Signature', prefixes));
  const [signature] = found;
  if (!signature) refuse('Unsigned', 'there is no ds:Signature');
  if (found.length > 1) refuse('SeveralSignatures', `${found.length} ds:Signature elements, one is expected`);
  const infos = root.find('//ds:SignedInfo', prefixes).length;
  if (infos > 1) refuse('SeveralSignedInfo', `${infos} ds:SignedInfo elements: which one was signed?`);
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
  const seen = new Set<string>();
  for (const { content } of root.find("//@*[translate(local-name(), 'ID', 'id') = 'id']")) {
    if (seen.has(content)) refuse('DuplicateId', `Id '${content}' stands twice: a reference could mean either`);
    seen.add(content);
  }
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
  expectChildren(signature, ns.ds, ['SignedInfo', 'SignatureValue', 'KeyInfo', 'Object']);
  const signedInfo = one(signature, 'ds:SignedInfo');
  checkSignedInfo(signedInfo);
  const qualifying = only(one(signature, 'ds:Object'), 'QualifyingProperties');
  // XAdES-T and above would add time stamps there: not read, so not believed
  expectChildren(qualifying, ns.xades, ['SignedProperties', 'UnsignedProperties?']);
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

function certificatesOf(signature: XmlElement): readonly Buffer[] {
  const keyInfo = one(signature, 'ds:KeyInfo');
  // a bare key or a place to fetch one from would be believed by some readers: KeyInfo is not signed
  expectChildren(keyInfo, ns.ds, ['X509Data']);
  const found = elements(keyInfo.find('ds:X509Data/ds:X509Certificate', prefixes));
  if (found.length === 0 || found.length > 8)
    refuse('NoSigningCertificate', `${found.length} certificates in KeyInfo; one to eight are expected`);
  return found.map(base64);
}

/** SigningCertificateV2, or V1 of older signers: the digest that ties the signature to one certificate. */
function signingCertificateOf(signedProperties: XmlElement): SignedDigest {
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
  return digestOf(digest);
}
