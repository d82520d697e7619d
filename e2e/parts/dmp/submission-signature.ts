/** The signature of the submission set, checked against the bytes it speaks of (ci-sis §5.8). */
import { createHash } from 'node:crypto';
import { uri } from './names.ts';
import { metadata, RegistryRefusal, SoapFault } from './refusals.ts';
import { structureOf, type Trust } from './trust.ts';
import { children, descend, type Element, parseXml, rootOf, textOf } from './xml.ts';
import { verifySignature } from './xml-signature.ts';

export interface Signed {
  readonly submissionSetId: string;
  readonly documents: ReadonlyMap<string, Buffer>;
  readonly signatureId: string;
  readonly structure: string;
}

const digests: Readonly<Record<string, string>> = {
  'http://www.w3.org/2001/04/xmlenc#sha256': 'sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512': 'sha512',
};
const CODE = 'XDSRepositoryMetadataError';

export async function checkSubmissionSignature(bytes: Buffer, signed: Signed, trust: Trust): Promise<void> {
  const xml = bytes.toString('utf8');
  try {
    const root = rootOf(parseXml(xml));
    const { signer, references } = await verifySignature(xml, 'submission signature');
    metadata(
      references.length === 2 && references[0] === '#IHEManifest' && references[1] === '#S0-SignedProperties',
      'submission signature: the references are not #IHEManifest and #S0-SignedProperties',
      CODE,
    );
    trust.checkSigner(signer, 'submission signature');
    metadata(structureOf(signer) === signed.structure, 'submission signature: signed by another structure', CODE);
    metadata(
      root.getAttribute('Id') === signed.signatureId,
      'submission signature: Id is not the uniqueId of its entry',
      CODE,
    );
    checkSigningCertificate(root, signer.raw);
    checkManifest(root, signed);
  } catch (error) {
    // what a signature says of its validity is content here, not the security of the message
    if (error instanceof SoapFault) throw new RegistryRefusal(CODE, error.message);
    throw error;
  }
}

function checkManifest(root: Element, { submissionSetId, documents }: Signed): void {
  const manifests = children(root, uri.dsig, 'Object').flatMap((one) => children(one, uri.dsig, 'Manifest'));
  const [manifest] = manifests;
  metadata(
    manifest !== undefined && manifests.length === 1 && manifest.getAttribute('Id') === 'IHEManifest',
    'submission signature: one Manifest IHEManifest is wanted',
    CODE,
  );
  const references = new Map(
    children(manifest, uri.dsig, 'Reference').map((one) => [one.getAttribute('URI') ?? '', one] as const),
  );
  metadata(
    references.has(`urn:oid:${submissionSetId}`),
    'submission signature: the submission set is not in the manifest',
    CODE,
  );
  metadata(references.size === documents.size + 1, 'submission signature: the manifest is of other documents', CODE);
  for (const [uniqueId, bytes] of documents) {
    const reference = references.get(`urn:oid:${uniqueId}`);
    metadata(reference !== undefined, `submission signature: document ${uniqueId} is not in the manifest`, CODE);
    const name = descend(reference, uri.dsig, 'DigestMethod')?.getAttribute('Algorithm') ?? '';
    const algorithm = digests[name];
    metadata(algorithm !== undefined, `submission signature: digest ${name} is not taken`, CODE);
    const digest = createHash(algorithm).update(bytes).digest('base64');
    metadata(
      textOf(descend(reference, uri.dsig, 'DigestValue')) === digest,
      `submission signature: the digest of document ${uniqueId} is not that of its bytes`,
      CODE,
    );
  }
}

function checkSigningCertificate(root: Element, certificate: Buffer): void {
  const [cert] = children(root, uri.dsig, 'Object').flatMap((one) => {
    const properties = descend(one, uri.xades, 'QualifyingProperties', 'SignedProperties', 'SignedSignatureProperties');
    return properties === undefined ? [] : [descend(properties, uri.xades, 'SigningCertificate', 'Cert', 'CertDigest')];
  });
  const name = cert && descend(cert, uri.xades, 'DigestMethod')?.getAttribute('Algorithm');
  const algorithm = digests[name ?? ''];
  metadata(
    cert !== undefined &&
      algorithm !== undefined &&
      textOf(descend(cert, uri.xades, 'DigestValue')) === createHash(algorithm).update(certificate).digest('base64'),
    'submission signature: SigningCertificate is not the certificate that signed',
    CODE,
  );
}
