/** Every way a whitelist can be refused, one reason each; what each means is in docs/whitelist.md. */
import type { ChainFault } from '../pki/chain.ts';

export type WhitelistReason =
  | ChainFault
  // the document
  | 'TooLarge'
  | 'TooSlow'
  | 'VerifierFault'
  | 'NotWellFormed'
  | 'NotUtf8'
  | 'DocumentType'
  | 'UnexpectedRoot'
  | 'Comment'
  | 'ProcessingInstruction'
  | 'DuplicateId'
  // the signature's shape
  | 'Unsigned'
  | 'SeveralSignatures'
  | 'SeveralSignedInfo'
  | 'SignaturePlacement'
  | 'SignatureStructure'
  | 'ForeignContent'
  | 'Canonicalization'
  | 'SignatureAlgorithm'
  | 'HmacSignature'
  | 'WeakDigest'
  | 'DigestAlgorithm'
  | 'References'
  | 'Transform'
  | 'XsltTransform'
  | 'NoSigningCertificate'
  | 'SigningTime'
  // its values
  | 'DocumentChanged'
  | 'SignedPropertiesChanged'
  | 'SignatureForged'
  | 'SigningCertificateDiffers'
  | 'EnginesDisagree'
  // the signer
  | 'SignerName'
  | 'WeakKey'
  | 'KeyUsage'
  | 'AnchorsUnreadable'
  | 'CertificateUnreadable'
  // what was signed
  | 'ListField'
  | 'ListVersion'
  | 'EmptyList'
  | 'ShadowedEntry';

/** Stops the verification with its reason. */
export class Refusal extends Error {
  readonly reason: WhitelistReason;
  constructor(reason: WhitelistReason, detail: string) {
    super(detail);
    this.name = 'Refusal';
    this.reason = reason;
  }
}
