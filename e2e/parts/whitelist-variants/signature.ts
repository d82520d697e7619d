/** The signature's own parts moved, doubled, changed or left out after signing. No key is needed for these either. */
import { row } from './document.ts';
import { edit, type Variant } from './variant.ts';

const whole = /<ds:Signature [^]*<\/ds:Signature>/;

export function changedSignatures(xml: string): readonly Variant[] {
  const signature = whole.exec(xml)?.[0] ?? '';
  const id = /<xades:SignedProperties Id="([^"]+)"/.exec(xml)?.[1] ?? '';
  const signedInfo = part(xml, 'ds:SignedInfo');
  const value = part(xml, 'ds:SignatureValue');
  const certificate = part(xml, 'ds:X509Certificate');
  const properties = part(xml, 'xades:QualifyingProperties');
  const unread = 'DSS looks only at the parts it needs; what else stands there could be read by someone';
  return [
    row('the signature removed', 'Unsigned', edit(xml, whole, '')),
    row('the signature in another namespace', 'Unsigned', edit(xml, '"http://www.w3.org/2000/09/xmldsig#"', '"urn:x"')),
    row('two signatures, the second a copy', 'SeveralSignatures', edit(xml, whole, signature + signature)),
    row(
      'two signatures, the second empty',
      'SeveralSignatures',
      edit(xml, whole, `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>${signature}`),
    ),
    row(
      'a signature inside the signature',
      'SeveralSignatures',
      edit(xml, '</ds:Object>', '<ds:Signature/></ds:Object>'),
    ),
    row(
      'the signature as first child',
      'SignaturePlacement',
      edit(edit(xml, whole, ''), '<DateDeGeneration>', `${signature}<DateDeGeneration>`),
      'the signature covers the list wherever it stands in it; ANS puts it last',
    ),
    row(
      'the signature inside ListeDomaines',
      'SignaturePlacement',
      edit(edit(xml, whole, ''), '</ListeDomaines>', `${signature}</ListeDomaines>`),
      'the signature covers the list wherever it stands in it; ANS puts it last',
    ),
    row(
      'the signature inside an entry',
      'SignaturePlacement',
      edit(edit(xml, whole, ''), '</Domaine>', `${signature}</Domaine>`),
      'the signature covers the list wherever it stands in it; ANS puts it last',
    ),
    row('an element after the signature', 'SignaturePlacement', edit(xml, whole, `${signature}<Domaine/>`)),
    row('two SignedInfo', 'SeveralSignedInfo', edit(xml, '</ds:SignedInfo>', `</ds:SignedInfo>${signedInfo}`)),
    row(
      'a SignedInfo inside ds:Object',
      'SeveralSignedInfo',
      edit(xml, '</ds:Object>', '<ds:SignedInfo/></ds:Object>'),
      unread,
    ),
    row('no SignedInfo', 'SignatureStructure', edit(xml, signedInfo, '')),
    row('two SignatureValue', 'SignatureStructure', edit(xml, value, value + value.replace(/ Id="[^"]*"/, ''))),
    row('no SignatureValue', 'SignatureStructure', edit(xml, value, '')),
    row(
      'an empty SignatureValue',
      'SignatureStructure',
      edit(xml, />[^<]+<\/ds:SignatureValue>/, '></ds:SignatureValue>'),
    ),
    row(
      'a SignatureValue that is not base64',
      'SignatureStructure',
      edit(xml, />[^<]{4}([^<]+)<\/ds:SignatureValue>/, '>!!!!</ds:SignatureValue>'),
    ),
    row('no KeyInfo', 'SignatureStructure', edit(xml, part(xml, 'ds:KeyInfo'), '')),
    row('two KeyInfo', 'SignatureStructure', edit(xml, '</ds:KeyInfo>', `</ds:KeyInfo><ds:KeyInfo/>`)),
    row(
      'KeyInfo before SignatureValue',
      'SignatureStructure',
      edit(edit(xml, value, ''), '</ds:KeyInfo>', `</ds:KeyInfo>${value}`),
    ),
    row(
      'a bare key beside the certificates',
      'SignatureStructure',
      edit(xml, '</ds:KeyInfo>', '<ds:KeyValue/></ds:KeyInfo>'),
      'KeyInfo is not signed: a reader that takes the key found there believes anyone',
    ),
    row(
      'a RetrievalMethod in KeyInfo',
      'SignatureStructure',
      edit(xml, '</ds:KeyInfo>', '<ds:RetrievalMethod URI="http://127.0.0.1:9/"/></ds:KeyInfo>'),
      'KeyInfo is not signed: a reader that fetches what it names believes anyone',
    ),
    row(
      'a second, empty ds:Object',
      'SignatureStructure',
      edit(xml, '</ds:Object>', '</ds:Object><ds:Object/>'),
      unread,
    ),
    row('text beside the signature parts', 'SignatureStructure', edit(xml, '<ds:KeyInfo>', 'x<ds:KeyInfo>'), unread),
    row(
      'text as the first thing in the signature',
      'SignatureStructure',
      edit(xml, '<ds:SignedInfo>', 'x<ds:SignedInfo>'),
      unread,
    ),
    row(
      'properties that name another signature',
      'SignatureStructure',
      edit(xml, / Target="#/, ' Target="#x'),
      'DSS does not compare Target with the signature it found the properties in',
    ),
    row(
      'two QualifyingProperties',
      'ForeignContent',
      edit(xml, '</ds:Object>', `${properties.replaceAll(/ Id="[^"]*"/g, '')}</ds:Object>`),
    ),
    row('a Manifest inside ds:Object', 'ForeignContent', edit(xml, '</ds:Object>', '<ds:Manifest/></ds:Object>')),
    row('an Id given twice, on KeyInfo', 'DuplicateId', edit(xml, '<ds:KeyInfo>', `<ds:KeyInfo Id="${id}">`)),
    row('an Id given twice, on an entry', 'DuplicateId', edit(xml, '<Domaine>', `<Domaine Id="${id}">`)),
    row('an Id given twice, as xml:id', 'DuplicateId', edit(xml, '<ds:KeyInfo>', `<ds:KeyInfo xml:id="${id}">`)),
    row('an Id given twice, in capitals', 'DuplicateId', edit(xml, '<ds:KeyInfo>', `<ds:KeyInfo ID="${id}">`)),
    row(
      'the signing time changed',
      'SignedPropertiesChanged',
      edit(xml, /<xades:SigningTime>\d{4}/, '<xades:SigningTime>2020'),
    ),
    row('the media type changed', 'SignedPropertiesChanged', edit(xml, 'text/xml', 'text/csv')),
    row(
      'the digest of the list changed',
      'SignatureForged',
      edit(xml, /<ds:DigestValue>[^<]{4}/, '<ds:DigestValue>AAAA'),
    ),
    row(
      'the signature value changed',
      'SignatureForged',
      edit(
        xml,
        />[^<]{4}([^<]+)<\/ds:SignatureValue>/,
        `>AAAA${/>[^<]{4}([^<]+)<\/ds:SignatureValue>/.exec(xml)?.[1] ?? ''}</ds:SignatureValue>`,
      ),
    ),
    row("the signer's certificate removed", 'SigningCertificateDiffers', edit(xml, certificate, '')),
    row(
      'no certificate at all',
      'NoSigningCertificate',
      edit(xml, /<ds:X509Data>[^]*<\/ds:X509Data>/, '<ds:X509Data/>'),
    ),
    row(
      'a certificate that is none',
      'CertificateUnreadable',
      edit(xml, '</ds:X509Data>', '<ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>'),
      'DSS passes over what it can not read in KeyInfo',
    ),
  ];
}

/** The first element of that name, with its tags. */
function part(xml: string, name: string): string {
  return new RegExp(`<${name}[ >][^]*?</${name}>`).exec(xml)?.[0] ?? '';
}
