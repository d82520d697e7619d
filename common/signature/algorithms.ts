/** Names of the algorithms a signature may use (ci-sis §5.8, §16 rows 33 and 34): SHA-2 by default, SHA-1 for old environments. */

export interface SignatureAlgorithms {
  /** URI and Node's name. */
  readonly signature: { readonly uri: string; readonly node: string };
  readonly digest: { readonly uri: string; readonly node: string };
}

export const rsaSha256: SignatureAlgorithms = {
  signature: { uri: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', node: 'RSA-SHA256' },
  digest: { uri: 'http://www.w3.org/2001/04/xmlenc#sha256', node: 'sha256' },
};

/** As in the samples of 2021; the DMP wants SHA-2 now. */
export const rsaSha1: SignatureAlgorithms = {
  signature: { uri: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1', node: 'RSA-SHA1' },
  digest: { uri: 'http://www.w3.org/2000/09/xmldsig#sha1', node: 'sha1' },
};

export const signatureNames = {
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  xades: 'http://uri.etsi.org/01903/v1.1.1#',
  enveloped: 'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
  exclusive: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  inclusive: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
  inclusiveWithComments: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments',
  manifest: 'http://www.w3.org/2000/09/xmldsig#Manifest',
  signedProperties: 'http://uri.etsi.org/01903/v1.1.1#SignedProperties',
} as const;
