/** The signature of a submission set: IHE DSG, detached manifest, XAdES v1.1.1 as the DMP profiles it (ci-sis §5.8). */
import { rsaSha256, type SignatureAlgorithms, signatureNames as names } from './algorithms.ts';
import { canonicalSubtrees } from './canonical.ts';
import { keyInfo } from './saml.ts';
import { digestOf, distinguishedName, type SigningKey, signatureOf } from './signing-key.ts';
import { element, type Xml } from './xml-writer.ts';

export interface SubmissionSignature {
  /** OID: Signature/@Id. */
  readonly signatureId: string;
  /** OID of the submission set. */
  readonly submissionSetId: string;
  /** Raw bytes, digested without transform. */
  readonly documents: readonly { readonly uniqueId: string; readonly bytes: Uint8Array }[];
  readonly signingTime: Date;
}

/** DSG: purpose of signature "Source". */
const SOURCE_PURPOSE = '1.2.840.10065.1.12.1.14';
/** The submission set has no bytes of its own: its reference carries a placeholder (ci-sis §5.8). */
const PLACEHOLDER = 'AA==';

/** @returns the document, UTF-8, without XML declaration. */
export function signSubmission(
  submission: SubmissionSignature,
  key: SigningKey,
  algorithms: SignatureAlgorithms = rsaSha256,
): Buffer {
  const objects = [purpose(submission), manifest(submission, algorithms), properties(submission, key, algorithms)];
  const write = (info: Xml | undefined, value: string): Xml =>
    element(
      'ds:Signature',
      { 'xmlns:ds': names.ds, Id: submission.signatureId },
      info,
      element('ds:SignatureValue', {}, value),
      keyInfo(key),
      objects,
    );
  const [manifestBytes = Buffer.alloc(0), propertiesBytes = Buffer.alloc(0)] = canonicalSubtrees(
    write(undefined, '').text,
    [
      ["//*[local-name()='Manifest']", 'inclusive'],
      ["//*[local-name()='SignedProperties']", 'inclusive'],
    ],
  );
  const info = signedInfo(digestOf(manifestBytes, algorithms), digestOf(propertiesBytes, algorithms), algorithms);
  const [signed = Buffer.alloc(0)] = canonicalSubtrees(write(info, '').text, [
    ["/*/*[local-name()='SignedInfo']", 'inclusive with comments'],
  ]);
  return Buffer.from(write(info, signatureOf(signed, key, algorithms)).text, 'utf8');
}

function signedInfo(manifestDigest: string, propertiesDigest: string, algorithms: SignatureAlgorithms): Xml {
  return element(
    'ds:SignedInfo',
    {},
    element('ds:CanonicalizationMethod', { Algorithm: names.inclusiveWithComments }),
    element('ds:SignatureMethod', { Algorithm: algorithms.signature.uri }),
    reference({ URI: '#IHEManifest', Type: names.manifest }, manifestDigest, algorithms),
    reference({ URI: '#S0-SignedProperties', Type: names.signedProperties }, propertiesDigest, algorithms),
  );
}

function reference(attributes: Record<string, string>, digest: string, algorithms: SignatureAlgorithms): Xml {
  return element(
    'ds:Reference',
    attributes,
    element('ds:DigestMethod', { Algorithm: algorithms.digest.uri }),
    element('ds:DigestValue', {}, digest),
  );
}

function purpose({ signatureId }: SubmissionSignature): Xml {
  return element(
    'ds:Object',
    {},
    element(
      'ds:SignatureProperties',
      {},
      element('ds:SignatureProperty', { Id: 'purposeOfSignature', Target: `#${signatureId}` }, SOURCE_PURPOSE),
    ),
  );
}

function manifest({ submissionSetId, documents }: SubmissionSignature, algorithms: SignatureAlgorithms): Xml {
  return element(
    'ds:Object',
    {},
    element(
      'ds:Manifest',
      { Id: 'IHEManifest' },
      reference({ URI: `urn:oid:${submissionSetId}` }, PLACEHOLDER, algorithms),
      documents.map(({ uniqueId, bytes }) =>
        reference({ URI: `urn:oid:${uniqueId}` }, digestOf(bytes, algorithms), algorithms),
      ),
    ),
  );
}

/** v1.1.1 has its own DigestMethod and DigestValue; from 1.2 on they are those of XML-DSig. */
function properties(
  { signatureId, signingTime }: SubmissionSignature,
  { certificate }: SigningKey,
  algorithms: SignatureAlgorithms,
): Xml {
  const signingCertificate = element(
    'xad:Cert',
    {},
    element(
      'xad:CertDigest',
      {},
      element('xad:DigestMethod', { Algorithm: algorithms.digest.uri }),
      element('xad:DigestValue', {}, digestOf(certificate.raw, algorithms)),
    ),
    element(
      'xad:IssuerSerial',
      {},
      element('ds:X509IssuerName', {}, distinguishedName(certificate.issuer, ',')),
      element('ds:X509SerialNumber', {}, BigInt(`0x${certificate.serialNumber}`).toString()),
    ),
  );
  return element(
    'ds:Object',
    {},
    element(
      'xad:QualifyingProperties',
      { 'xmlns:xad': names.xades, Target: `#${signatureId}` },
      element(
        'xad:SignedProperties',
        { Id: 'S0-SignedProperties' },
        element(
          'xad:SignedSignatureProperties',
          {},
          element('xad:SigningTime', {}, `${signingTime.toISOString().slice(0, 19)}Z`),
          element('xad:SigningCertificate', {}, signingCertificate),
          element('xad:SignaturePolicyIdentifier', {}, element('xad:SignaturePolicyImplied')),
        ),
      ),
    ),
  );
}
