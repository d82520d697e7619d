/**
 * Signs lists that nobody should accept: the ANS shape as a text template, every part of which can be bent before it is signed.
 * Written from the specification alone; nothing of the product is used.
 */
import { createHash, createSign } from 'node:crypto';
import { ParseOption, XmlC14NMode, XmlDocument } from 'libxml2-wasm';

export interface Signer {
  /** DER: leaf, then what stands above it. */
  readonly certificates: readonly Buffer[];
  readonly keyPem: string;
}

export interface Recipe {
  readonly list: string;
  readonly signer: Signer;
  /** Bends the signature before any digest is made. `@@DOC@@`, `@@PROPS@@`, `@@VALUE@@` stand for what is computed. */
  readonly template?: (signature: string) => string;
  /** Elements taken out with the signature before the document's digest is made, as a bent transform would. */
  readonly alsoRemoved?: string;
  /** Node's name of the digest of both references; `sha256` by default. */
  readonly digest?: string;
  /** Makes the signature value; RSA PKCS #1 v1.5 with SHA-256 by default. */
  readonly sign?: (signedInfo: Buffer) => Buffer;
  readonly signedAt?: Date;
}

export const uris = {
  exclusive: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  sha256: 'http://www.w3.org/2001/04/xmlenc#sha256',
  sha512: 'http://www.w3.org/2001/04/xmlenc#sha512',
  rsaSha256: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  filter2: 'http://www.w3.org/2002/06/xmldsig-filter2',
  ds: 'http://www.w3.org/2000/09/xmldsig#',
} as const;

/** The transform of the ANS list that takes the signature away. */
export const subtractTransform = `<ds:Transform Algorithm="${uris.filter2}"><dsig-filter2:XPath xmlns:dsig-filter2="${uris.filter2}" Filter="subtract">/descendant::ds:Signature</dsig-filter2:XPath></ds:Transform>`;
export const canonicalTransform = `<ds:Transform Algorithm="${uris.exclusive}"/>`;

export function templateOf(signer: Signer, signedAt = new Date()): string {
  const [leaf = Buffer.alloc(0)] = signer.certificates;
  return (
    `<ds:Signature xmlns:ds="${uris.ds}" Id="id-1"><ds:SignedInfo>` +
    `<ds:CanonicalizationMethod Algorithm="${uris.exclusive}"/><ds:SignatureMethod Algorithm="${uris.rsaSha256}"/>` +
    `<ds:Reference Id="r-id-1" URI=""><ds:Transforms>${subtractTransform}${canonicalTransform}</ds:Transforms>` +
    `<ds:DigestMethod Algorithm="${uris.sha256}"/><ds:DigestValue>@@DOC@@</ds:DigestValue></ds:Reference>` +
    `<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#xades-id-1"><ds:Transforms>${canonicalTransform}</ds:Transforms>` +
    `<ds:DigestMethod Algorithm="${uris.sha256}"/><ds:DigestValue>@@PROPS@@</ds:DigestValue></ds:Reference></ds:SignedInfo>` +
    `<ds:SignatureValue Id="value-id-1">@@VALUE@@</ds:SignatureValue><ds:KeyInfo><ds:X509Data>` +
    signer.certificates.map((der) => `<ds:X509Certificate>${der.toString('base64')}</ds:X509Certificate>`).join('') +
    `</ds:X509Data></ds:KeyInfo><ds:Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Target="#id-1">` +
    `<xades:SignedProperties Id="xades-id-1"><xades:SignedSignatureProperties><xades:SigningTime>${signedAt.toISOString().replace(/\.\d+Z$/, 'Z')}</xades:SigningTime>` +
    `<xades:SigningCertificateV2>${namedCertificate(leaf)}</xades:SigningCertificateV2></xades:SignedSignatureProperties>` +
    `<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#r-id-1"><xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat>` +
    `</xades:SignedDataObjectProperties></xades:SignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature>`
  );
}

/** `xades:Cert` of SigningCertificateV2. */
export function namedCertificate(der: Buffer, algorithm = 'sha512', uri: string = uris.sha512): string {
  return `<xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="${uri}"/><ds:DigestValue>${digestOf(algorithm, der)}</ds:DigestValue></xades:CertDigest></xades:Cert>`;
}

/** @returns the signed list: its digests and value are true to the bent template. */
export function forge(recipe: Recipe): string {
  const algorithm = recipe.digest ?? 'sha256';
  const bend = recipe.template ?? ((signature: string): string => signature);
  const signature = bend(templateOf(recipe.signer, recipe.signedAt));
  let xml = recipe.list.replace(/<\/([\w-]+)>\s*$/, (end) => signature + end);
  const removed = [
    "//*[local-name() = 'Signature']",
    ...(recipe.alsoRemoved === undefined ? [] : [recipe.alsoRemoved]),
  ];
  xml = xml.replaceAll('@@DOC@@', digestOf(algorithm, canonical(xml, undefined, removed)));
  const properties = canonical(xml, "(//*[local-name() = 'SignedProperties'])[1]");
  xml = xml.replaceAll('@@PROPS@@', digestOf(algorithm, properties));
  const signedInfo = canonical(xml, "(//*[local-name() = 'SignedInfo'])[1]");
  const sign = recipe.sign ?? ((bytes): Buffer => createSign('RSA-SHA256').update(bytes).sign(recipe.signer.keyPem));
  return xml.replaceAll('@@VALUE@@', sign(signedInfo).toString('base64'));
}

function canonical(xml: string, path: string | undefined, removed: readonly string[] = []): Buffer {
  const document = XmlDocument.fromString(xml, { option: ParseOption.XML_PARSE_NONET });
  try {
    for (const gone of removed) for (const node of document.root.find(gone)) node.remove();
    const node = path === undefined ? document : document.root.get(path);
    if (node === null) return Buffer.alloc(0); // a template bent so far that there is nothing to digest
    return Buffer.from(
      node.canonicalizeToString({ mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0, withComments: false }),
      'utf8',
    );
  } finally {
    document.dispose();
  }
}

export function digestOf(algorithm: string, bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest('base64');
}
