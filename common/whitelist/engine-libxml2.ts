/** First engine: libxml2's exclusive canonicalization and Node's own cryptography. */
import { createHash, verify, type X509Certificate } from 'node:crypto';
import { XmlC14NMode, type XmlDocument } from 'libxml2-wasm';
import type { SignatureParts } from './gate.ts';
import { Refusal } from './reasons.ts';

const exclusive = { mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0, withComments: false } as const;

/**
 * The canonical bytes of the document without its signature, once their digest is the one signed: what may be read.
 * Takes the signature out of the tree: the last thing done with it.
 * @throws Refusal DocumentChanged, SignedPropertiesChanged, SignatureForged
 */
export function verifyByLibxml2(document: XmlDocument, parts: SignatureParts, signer: X509Certificate): Buffer {
  const properties = Buffer.from(parts.signedProperties.canonicalizeToString(exclusive));
  if (!digestEquals(properties, parts.propertiesDigest))
    throw new Refusal('SignedPropertiesChanged', 'the digest of SignedProperties is not the one signed');
  const signedInfo = Buffer.from(parts.signedInfo.canonicalizeToString(exclusive));
  if (!verify(parts.signatureMethod, signedInfo, signer.publicKey, parts.signatureValue))
    throw new Refusal('SignatureForged', 'the signature value does not verify with the signing certificate');
  parts.signature.remove();
  const bytes = Buffer.from(document.canonicalizeToString(exclusive));
  if (!digestEquals(bytes, parts.documentDigest))
    throw new Refusal('DocumentChanged', 'the digest of the list is not the one signed: a byte of it was changed');
  return bytes;
}

function digestEquals(bytes: Buffer, expected: SignatureParts['documentDigest']): boolean {
  return createHash(expected.algorithm).update(bytes).digest().equals(expected.value);
}
