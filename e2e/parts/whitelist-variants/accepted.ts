/** What ANS may sign tomorrow, or a standard lets it: shapes that must go on being accepted. */
import { createSign, X509Certificate } from 'node:crypto';
import {
  canonicalTransform,
  digestOf,
  forge,
  namedCertificate,
  type Recipe,
  type Signer,
  subtractTransform,
  uris,
} from './forge.ts';
import { edit } from './variant.ts';

export interface AcceptedList {
  readonly name: string;
  readonly bytes: Buffer;
}

const more = 'http://www.w3.org/2001/04/xmldsig-more#';

/** @param list unsigned. @param good the same, signed */
export function acceptedLists(list: string, signer: Signer, good: string): readonly AcceptedList[] {
  const bent = (
    name: string,
    bends: readonly (readonly [string | RegExp, string])[],
    rest: Partial<Recipe> = {},
  ): AcceptedList => ({
    name,
    bytes: Buffer.from(
      forge({
        list,
        signer,
        template: (xml) => bends.reduce((text, [from, to]) => edit(text, from, to), xml),
        ...rest,
      }),
    ),
  });
  const [leaf = Buffer.alloc(0)] = signer.certificates;
  const properties = /<ds:Reference Type=[^]*?<\/ds:Reference>/;
  const value = /(<ds:SignatureValue[^>]*>)([^<]*)/.exec(good);
  const wrapped = (value?.[2] ?? '').replaceAll(/.{64}/g, '$&\r\n');
  return [
    { name: 'as ANS signs', bytes: Buffer.from(good) },
    { name: 'with a byte order mark', bytes: Buffer.from(`\uFEFF${good}`) },
    {
      name: 'with lines of 64 characters in the signature value',
      bytes: Buffer.from(edit(good, value?.[0] ?? '', `${value?.[1] ?? ''}${wrapped}`)),
    },
    {
      name: 'with a value in a CDATA section',
      bytes: Buffer.from(edit(good, /<db>[^<]*<\/db>/, '<db><![CDATA[db1.a.example]]></db>')),
    },
    {
      name: 'with attributes in single quotes',
      bytes: Buffer.from(edit(good, 'versionFormat="1.0.0"', "versionFormat='1.0.0'")),
    },
    {
      name: 'with UnsignedProperties, as in XAdES-T',
      bytes: Buffer.from(
        edit(
          good,
          '</xades:SignedProperties>',
          '</xades:SignedProperties><xades:UnsignedProperties><xades:UnsignedSignatureProperties/></xades:UnsignedProperties>',
        ),
      ),
    },
    bent('with the enveloped-signature transform', [
      [subtractTransform, `<ds:Transform Algorithm="${uris.ds}enveloped-signature"/>`],
    ]),
    bent('with XPath 1.0, as table 6 says', [
      [
        subtractTransform,
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath></ds:Transform>',
      ],
    ]),
    bent('with SigningCertificate of XAdES 1.3.2', [
      [
        /<xades:SigningCertificateV2>[^]*<\/xades:SigningCertificateV2>/,
        `<xades:SigningCertificate>${namedCertificate(leaf, 'sha256', uris.sha256).replace('</xades:Cert>', `${issuerSerial(leaf)}</xades:Cert>`)}</xades:SigningCertificate>`,
      ],
    ]),
    bent('with RSA and SHA-512', [[uris.rsaSha256, `${more}rsa-sha512`]], {
      sign: (bytes) => createSign('RSA-SHA512').update(bytes).sign(signer.keyPem),
    }),
    bent(
      'with the list digested by SHA-512',
      [
        [
          `<ds:DigestMethod Algorithm="${uris.sha256}"/><ds:DigestValue>@@DOC@@`,
          `<ds:DigestMethod Algorithm="${uris.sha512}"/><ds:DigestValue>@@DOC@@`,
        ],
        [
          `<ds:DigestMethod Algorithm="${uris.sha256}"/><ds:DigestValue>@@PROPS@@`,
          `<ds:DigestMethod Algorithm="${uris.sha512}"/><ds:DigestValue>@@PROPS@@`,
        ],
      ],
      { digest: 'sha512' },
    ),
    bent('with the references in the other order', [
      [properties, ''],
      [
        '<ds:Reference Id',
        `<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#xades-id-1"><ds:Transforms>${canonicalTransform}</ds:Transforms><ds:DigestMethod Algorithm="${uris.sha256}"/><ds:DigestValue>@@PROPS@@</ds:DigestValue></ds:Reference><ds:Reference Id`,
      ],
    ]),
    bent('with another prefix in the filter', [
      [
        subtractTransform,
        `<ds:Transform Algorithm="${uris.filter2}"><f:XPath xmlns:f="${uris.filter2}" xmlns:sig="${uris.ds}" Filter="subtract"> /descendant::sig:Signature </f:XPath></ds:Transform>`,
      ],
    ]),
    bent('with the signer named by SHA-256', [
      [
        `"${uris.sha512}"/><ds:DigestValue>${digestOf('sha512', leaf)}`,
        `"${uris.sha256}"/><ds:DigestValue>${digestOf('sha256', leaf)}`,
      ],
    ]),
    {
      name: 'with an operator in another order, quoted and escaped',
      bytes: Buffer.from(
        forge({
          signer,
          list: edit(
            list,
            /<DNCertificatOperateur>[^<]*</,
            '<DNCertificatOperateur>C=FR, ST=Paris (75), O="CHU \\"L\'Hôpital\\", site Été"+ou=1750000001 , CN=db1.a.example<',
          ),
        }),
      ),
    },
    {
      name: 'with a sloppy comma in the name of a structure',
      bytes: Buffer.from(forge({ signer, list: edit(list, ',O=STRUCTURE SYNTHETIQUE', ',O=CHU, SITE NORD') })),
    },
    {
      name: 'with an element of a later version',
      bytes: Buffer.from(
        forge({
          signer,
          list: edit(
            edit(list, 'versionFormat="1.0.0"', 'versionFormat="1.1.0"'),
            '</db>',
            '</db><nouveau>x</nouveau>',
          ),
        }),
      ),
    },
  ];
}

/** Version 1 must name issuer and serial number in text. */
function issuerSerial(leaf: Buffer): string {
  const { issuer, serialNumber } = new X509Certificate(leaf);
  const name = issuer.split('\n').toReversed().join(',');
  return `<xades:IssuerSerial><ds:X509IssuerName>${name}</ds:X509IssuerName><ds:X509SerialNumber>${BigInt(`0x${serialNumber}`)}</ds:X509SerialNumber></xades:IssuerSerial>`;
}
