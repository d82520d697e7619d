/** Every way a whitelist can be refused, one reason each; docs/whitelist.md prints this table. */
import type { ChainFault } from '../pki/chain.ts';

const chainMeanings: Readonly<Record<ChainFault, string>> = {
  UntrustedChain: 'no path from the signer to an anchor: another PKI, a missing intermediate, TEST anchors for PROD',
  Expired: 'the signer or an authority above it has ended',
  NotYetValid: 'the signer or an authority above it has not begun; look at the clock of this machine too',
  NotAnAuthority: 'a certificate in the chain may not issue others, or not that deep',
  WeakCertificate: 'a certificate in the chain has RSA below 2048 bits, or is signed with SHA-1 or MD5',
  CriticalExtension: 'a certificate in the chain says something critical that this program does not know',
  Revoked: 'the signer or an authority above it is revoked',
  CrlMissing: 'revocation must be checked and no CRL of an authority in the chain was given',
  CrlExpired: 'the newest CRL of an authority is past its end: fetch it again',
  CrlNotYetValid: 'the newest CRL of an authority has not begun; look at the clock of this machine too',
  CrlForged: 'a CRL bears the name of an authority that did not sign it, or may not sign any',
  CrlPartial: 'the CRL of an authority holds only changes, or only other kinds of certificates',
};

const documentMeanings = {
  TooLarge: 'more than 4 MiB, or verifying it takes more memory than allowed',
  TooSlow: 'verifying it takes more than 30 s',
  VerifierFault: 'the verifier itself gave up; the detail says where',
  NotWellFormed: 'not XML, or cut short',
  NotUtf8: 'not UTF-8, or said to be something else',
  DocumentType: 'it has a DOCTYPE, which could bring entities or change what is read',
  UnexpectedRoot: 'its root is not ListeBlancheDRIM-M of the ANS namespace',
  Comment: 'it holds a comment, with which a value can be read in two ways',
  ProcessingInstruction: 'it holds a processing instruction, with which a value can be read in two ways',
  DuplicateId: 'two elements have one Id: a reference could mean either',
} as const;

const shapeMeanings = {
  Unsigned: 'there is no signature',
  SeveralSignatures: 'there is more than one signature',
  SeveralSignedInfo: 'there is more than one SignedInfo',
  SignaturePlacement: 'the signature is not the last child of the root',
  SignatureStructure: 'the parts of the signature are not those of XAdES baseline-B, each once, in order',
  ForeignContent: 'something foreign stands inside the signature, where the digest of the list does not reach',
  Canonicalization: 'SignedInfo is not canonicalized by plain exclusive canonicalization',
  SignatureAlgorithm: 'the signature is not RSA PKCS #1 v1.5 with SHA-256, SHA-384 or SHA-512',
  HmacSignature: 'the signature is an HMAC, which anyone could make with the public key',
  WeakDigest: 'SHA-1 or MD5',
  DigestAlgorithm: 'a digest other than SHA-256, SHA-384 or SHA-512',
  References: 'not exactly two references: the whole list, and its SignedProperties',
  Transform: 'a transform other than taking the signature away and exclusive canonicalization',
  XsltTransform: 'an XSLT transform, which is a program: never run',
  NoSigningCertificate: 'the signer is not named exactly once, or KeyInfo holds no certificate',
  SigningTime: 'SigningTime is no time, or more than a day ahead',
} as const;

const valueMeanings = {
  DocumentChanged: 'the list is not the one that was signed',
  SignedPropertiesChanged: 'the signed properties are not those that were signed',
  SignatureForged: 'the signature value does not verify with the signing certificate',
  SigningCertificateDiffers: 'no certificate of KeyInfo is the one that the signed properties name',
  EnginesDisagree: 'one of the two engines accepts it and the other does not',
} as const;

const signerMeanings = {
  SignerName: 'CN or OU of the signer is not the one of the TrustSpace',
  WeakKey: "the signer's key is not RSA of 2048 bits or more",
  KeyUsage: 'the signing certificate is not for signatures',
  AnchorsUnreadable: 'the anchors or CRLs given can not be read: not the fault of the list',
  CertificateUnreadable: 'a certificate of KeyInfo can not be read',
} as const;

const contentMeanings = {
  ListVersion: 'versionFormat is not 1.x',
  ListField: 'a field is missing, doubled or malformed; the detail names it',
  EmptyList: 'no entry: it would shut everyone out',
  ShadowedEntry: 'an entry in another place or namespace than those that are read',
} as const;

/** Reason to meaning, in the order of the verification. */
export const whitelistReasons = {
  ...documentMeanings,
  ...shapeMeanings,
  ...signerMeanings,
  ...valueMeanings,
  ...chainMeanings,
  ...contentMeanings,
} as const;

export type WhitelistReason = keyof typeof whitelistReasons;

/** Stops the verification with its reason. */
export class Refusal extends Error {
  readonly reason: WhitelistReason;
  constructor(reason: WhitelistReason, detail: string) {
    super(detail);
    this.name = 'Refusal';
    this.reason = reason;
  }
}
