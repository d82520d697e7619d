/** Signed as asked, by the right signer, but with other algorithms or properties than ANS uses. */
import { createHash, createHmac, createSign, constants, X509Certificate } from 'node:crypto';
import { bender } from './bend.ts';
import { canonicalTransform, digestOf, namedCertificate, type Signer, uris } from './forge.ts';
import { bentReferences } from './references.ts';
import type { Variant } from './variant.ts';

const more = 'http://www.w3.org/2001/04/xmldsig-more#';

export function bentSignatures(list: string, signer: Signer, ecSigner: Signer): readonly Variant[] {
  const bent = bender(list, signer);
  const method = (uri: string): readonly [string, string] => [uris.rsaSha256, uri];
  const digest = (uri: string): readonly [string, string] => [
    `<ds:DigestMethod Algorithm="${uris.sha256}"/><ds:DigestValue>@@DOC@@`,
    `<ds:DigestMethod Algorithm="${uri}"/><ds:DigestValue>@@DOC@@`,
  ];
  const [leaf = Buffer.alloc(0), intermediate = Buffer.alloc(0)] = signer.certificates;
  const publicPem = new X509Certificate(leaf).publicKey.export({ type: 'spki', format: 'pem' });
  const newer = 'a sound algorithm, only not one that ANS uses: an allow-list says what is accepted';
  return [
    bent('inclusive canonicalization', 'Canonicalization', [
      [`Method Algorithm="${uris.exclusive}"`, 'Method Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"'],
    ]),
    bent(
      'canonicalization with comments',
      'Canonicalization',
      [[`Method Algorithm="${uris.exclusive}"`, `Method Algorithm="${uris.exclusive}WithComments"`]],
      {},
      newer,
    ),
    bent(
      'canonicalization with a prefix list',
      'Canonicalization',
      [
        [
          `<ds:CanonicalizationMethod Algorithm="${uris.exclusive}"/>`,
          `<ds:CanonicalizationMethod Algorithm="${uris.exclusive}"><ec:InclusiveNamespaces xmlns:ec="${uris.exclusive}" PrefixList="ds"/></ds:CanonicalizationMethod>`,
        ],
      ],
      {},
      newer,
    ),
    bent('RSA with SHA-1', 'WeakDigest', [method(`${uris.ds}rsa-sha1`)], {
      sign: (bytes) => createSign('RSA-SHA1').update(bytes).sign(signer.keyPem),
    }),
    bent('RSA with MD5', 'WeakDigest', [method(`${more}rsa-md5`)], {
      sign: (bytes) => createSign('RSA-MD5').update(bytes).sign(signer.keyPem),
    }),
    bent('HMAC with the public key as its secret', 'HmacSignature', [method(`${more}hmac-sha256`)], {
      sign: (bytes) => createHmac('sha256', publicPem).update(bytes).digest(),
    }),
    bent('HMAC with SHA-1', 'HmacSignature', [method(`${uris.ds}hmac-sha1`)], {
      sign: (bytes) => createHmac('sha1', publicPem).update(bytes).digest(),
    }),
    bent(
      'RSA-PSS',
      'SignatureAlgorithm',
      [method('http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1')],
      {
        sign: (bytes) =>
          createSign('RSA-SHA256')
            .update(bytes)
            .sign({ key: signer.keyPem, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
      },
      newer,
    ),
    bent('an unknown signature algorithm', 'SignatureAlgorithm', [method('urn:x')]),
    bent('no signature algorithm', 'SignatureAlgorithm', [[` Algorithm="${uris.rsaSha256}"`, '']]),
    bent(
      'a signature algorithm with a parameter',
      'SignatureAlgorithm',
      [
        [
          `<ds:SignatureMethod Algorithm="${uris.rsaSha256}"/>`,
          `<ds:SignatureMethod Algorithm="${uris.rsaSha256}"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>`,
        ],
      ],
      {},
      'DSS passes over a parameter that the algorithm does not take',
    ),
    bent(
      'ECDSA under its own name',
      'SignatureAlgorithm',
      [method(`${more}ecdsa-sha256`)],
      {
        signer: ecSigner,
        sign: (bytes) => createSign('SHA256').update(bytes).sign({ key: ecSigner.keyPem, dsaEncoding: 'ieee-p1363' }),
      },
      newer,
    ),
    bent('ECDSA under the name of RSA', 'WeakKey', [], { signer: ecSigner }),
    bent('the list digested with SHA-1', 'WeakDigest', [digest(`${uris.ds}sha1`)], { digest: 'sha1' }),
    bent('the list digested with MD5', 'WeakDigest', [digest(`${more}md5`)], { digest: 'md5' }),
    bent('the list digested with RIPEMD', 'DigestAlgorithm', [digest('http://www.w3.org/2001/04/xmlenc#ripemd160')]),
    bent(
      'the list digested with SHA-3',
      'DigestAlgorithm',
      [
        digest('http://www.w3.org/2007/05/xmldsig-more#sha3-256'),
        [
          /<ds:Transforms>(<ds:Transform Algorithm="[^"]*exc-c14n#"\/>)<\/ds:Transforms><ds:DigestMethod Algorithm="[^"]*"/,
          `<ds:Transforms>${canonicalTransform}</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2007/05/xmldsig-more#sha3-256"`,
        ],
      ],
      { digest: 'sha3-256' },
      newer,
    ),
    bent(
      'a signing certificate named by SHA-1',
      'WeakDigest',
      [[/<xades:Cert>[^]*<\/xades:Cert>/, namedCertificate(leaf, 'sha1', `${uris.ds}sha1`)]],
      {},
      'DSS asks nothing of that digest; a second certificate of the same SHA-1 could be made',
    ),
    ...bentReferences(list, signer),
    bent(
      'no signing certificate named',
      'NoSigningCertificate',
      [[/<xades:SigningCertificateV2>[^]*<\/xades:SigningCertificateV2>/, '']],
      {},
      'DSS then takes the certificate of KeyInfo, which is not signed',
    ),
    bent(
      'two signing certificates named',
      'NoSigningCertificate',
      [['</xades:SigningCertificateV2>', `${namedCertificate(intermediate)}</xades:SigningCertificateV2>`]],
      {},
      'ETSI lets a signer name its whole chain; ANS names the signer alone',
    ),
    bent('a certificate named that is not there', 'SigningCertificateDiffers', [
      [digestOf('sha512', leaf), createHash('sha512').update('x').digest('base64')],
    ]),
    bent('the intermediate named as signer', 'SignatureForged', [
      [digestOf('sha512', leaf), digestOf('sha512', intermediate)],
    ]),
    bent(
      'a signing certificate of version 1 without its issuer',
      'EnginesDisagree',
      [
        [
          /<xades:SigningCertificateV2>[^]*<\/xades:SigningCertificateV2>/,
          `<xades:SigningCertificate>${namedCertificate(leaf)}</xades:SigningCertificate>`,
        ],
      ],
      {},
      'the digest names the certificate well enough for DSS; the schema wants issuer and serial number too',
    ),
    bent('no signing time', 'SignatureStructure', [[/<xades:SigningTime>[^<]*<\/xades:SigningTime>/, '']]),
    bent('a signing time that is none', 'SigningTime', [[/<xades:SigningTime>[^<]*/, '<xades:SigningTime>yesterday']]),
    bent('signed in the future', 'SigningTime', [[/<xades:SigningTime>\d{4}/, '<xades:SigningTime>2099']]),
  ];
}
