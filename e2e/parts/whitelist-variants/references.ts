/** Rightly signed, but over something else than the whole list and its properties, or through other transforms. */
import { bender } from './bend.ts';
import { canonicalTransform, type Signer, subtractTransform, uris } from './forge.ts';
import type { Variant } from './variant.ts';

const xpath1 = 'http://www.w3.org/TR/1999/REC-xpath-19991116';

export function bentReferences(list: string, signer: Signer): readonly Variant[] {
  const bent = bender(list, signer);
  const transforms = (to: string): readonly (readonly [string, string])[] => [
    [subtractTransform + canonicalTransform, to],
  ];
  const filter = (kind: string, path: string, declared = ''): string =>
    `<ds:Transform Algorithm="${uris.filter2}"><f:XPath xmlns:f="${uris.filter2}"${declared} Filter="${kind}">${path}</f:XPath></ds:Transform>`;
  const documentReference = /<ds:Reference Id="r-id-1"[^]*?<\/ds:Reference>/;
  const propertiesReference = /<ds:Reference Type=[^]*?<\/ds:Reference>/;
  const narrower =
    'DSS evaluates the transform and what it leaves is what was signed; we read the whole list, so only the whole list may be signed';
  return [
    bent(
      'a third reference',
      'References',
      [
        [
          '</ds:SignedInfo>',
          `<ds:Reference URI="#xades-id-1"><ds:Transforms>${canonicalTransform}</ds:Transforms><ds:DigestMethod Algorithm="${uris.sha256}"/><ds:DigestValue>@@PROPS@@</ds:DigestValue></ds:Reference></ds:SignedInfo>`,
        ],
      ],
      {},
      'one reference more takes nothing away; ANS has two',
    ),
    bent('the list alone referred to', 'References', [[propertiesReference, '']]),
    bent('the properties alone referred to', 'References', [[documentReference, '']]),
    bent('no reference', 'References', [
      [documentReference, ''],
      [propertiesReference, ''],
    ]),
    bent('the list referred to twice', 'References', [[propertiesReference, documentReferenceText()]]),
    bent('an entry referred to instead of the list', 'References', [[' URI=""', ' URI="#entry"']]),
    bent('a reference with no URI', 'References', [[' URI=""', '']]),
    bent('a reference to another host', 'References', [[' URI=""', ' URI="http://127.0.0.1:9/list.xml"']]),
    bent('a reference to a file', 'References', [[' URI=""', ' URI="file:///etc/hostname"']]),
    bent(
      'a reference by XPointer',
      'References',
      [[' URI=""', ' URI="#xpointer(/)"']],
      {},
      'the same bytes under another name; one name is enough',
    ),
    bent('a reference to another properties element', 'References', [['URI="#xades-id-1"', 'URI="#value-id-1"']]),
    bent('a reference that does not say it is to SignedProperties', 'References', [
      [' Type="http://uri.etsi.org/01903#SignedProperties"', ''],
    ]),
    bent(
      'an XSLT transform',
      'XsltTransform',
      transforms(
        `${subtractTransform}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><x:stylesheet xmlns:x="http://www.w3.org/2000/09/xmldsig#"/></ds:Transform>`,
      ),
    ),
    bent(
      'an XSLT stylesheet inside a transform',
      'ForeignContent',
      transforms(
        `${subtractTransform}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"/></ds:Transform>`,
      ),
    ),
    bent(
      'entries subtracted too',
      'Transform',
      transforms(
        filter(
          'subtract',
          '/descendant::ds:Signature | /descendant::l:Domaine',
          ' xmlns:l="https://github.com/ansforge/DRIM-M_DATA"',
        ) + canonicalTransform,
      ),
      { alsoRemoved: "//*[local-name() = 'Domaine']" },
      narrower,
    ),
    bent(
      'an intersection',
      'Transform',
      transforms(filter('intersect', '/descendant::ds:Signature') + canonicalTransform),
    ),
    bent('a union', 'Transform', transforms(filter('union', '/descendant::ds:Signature') + canonicalTransform)),
    bent(
      'two filters',
      'Transform',
      transforms(subtractTransform + subtractTransform + canonicalTransform),
      {},
      narrower,
    ),
    bent(
      'two paths in one filter',
      'Transform',
      transforms(
        `<ds:Transform Algorithm="${uris.filter2}"><f:XPath xmlns:f="${uris.filter2}" Filter="subtract">/descendant::ds:Signature</f:XPath><f:XPath xmlns:f="${uris.filter2}" Filter="subtract">/descendant::ds:Signature</f:XPath></ds:Transform>${canonicalTransform}`,
      ),
      {},
      narrower,
    ),
    bent(
      'a filter whose prefix means something else',
      'Transform',
      transforms(filter('subtract', '/descendant::ds:Signature', ' xmlns:ds="urn:x"') + canonicalTransform),
    ),
    bent(
      'an XPath that leaves entries out',
      'Transform',
      transforms(
        `<ds:Transform Algorithm="${xpath1}"><ds:XPath xmlns:l="https://github.com/ansforge/DRIM-M_DATA">not(ancestor-or-self::ds:Signature) and not(ancestor-or-self::l:Domaine)</ds:XPath></ds:Transform>${canonicalTransform}`,
      ),
      { alsoRemoved: "//*[local-name() = 'Domaine']" },
      narrower,
    ),
    bent(
      'a base64 transform',
      'Transform',
      transforms(`${subtractTransform}<ds:Transform Algorithm="${uris.ds}base64"/>`),
    ),
    bent('no transform', 'Transform', transforms('')),
    bent(
      'no canonicalization of the list',
      'Transform',
      transforms(subtractTransform),
      {},
      'the default canonicalization gives the same bytes here; it is not the one of the specification',
    ),
    bent(
      'inclusive canonicalization of the list',
      'Transform',
      transforms(`${subtractTransform}<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>`),
      {},
      'it gives the same bytes here; it is not the one of the specification',
    ),
    bent('the signature not taken away', 'Transform', transforms(canonicalTransform)),
    bent('properties without transform', 'Transform', [
      [`#xades-id-1"><ds:Transforms>${canonicalTransform}</ds:Transforms>`, '#xades-id-1">'],
    ]),
  ];
}

function documentReferenceText(): string {
  return `<ds:Reference URI=""><ds:Transforms>${subtractTransform}${canonicalTransform}</ds:Transforms><ds:DigestMethod Algorithm="${uris.sha256}"/><ds:DigestValue>@@DOC@@</ds:DigestValue></ds:Reference>`;
}
