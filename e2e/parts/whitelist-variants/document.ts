/** A signed list changed after it was signed: its bytes, its entries, what stands around them. No key is needed for these. */
import { edit, type Variant } from './variant.ts';

const domain = /<Domaine>[^]*?<\/Domaine>/;
const foreign = '<Domaine xmlns="https://github.com/ansforge/DRIM-M_DATA"><db>evil.example</db></Domaine>';

/** @param xml a list that verifies, with one entry or more */
export function changedDocuments(xml: string): readonly Variant[] {
  const first = domain.exec(xml)?.[0] ?? '';
  const changed = (name: string, from: string | RegExp, to: string): Variant =>
    row(name, 'DocumentChanged', edit(xml, from, to));
  return [
    changed('a host name changed', /<db>./, '<db>x'),
    changed('an operator changed', 'CN=', 'CN=x'),
    changed('an attribute changed', 'versionFormat="1.0.0"', 'versionFormat="1.0.1"'),
    changed('an attribute added', 'versionFormat="1.0.0"', 'versionFormat="1.0.0" x="1"'),
    changed('an entry removed', domain, ''),
    changed('an entry added', '</ListeDomaines>', `${first}</ListeDomaines>`),
    changed('white space between entries', '</Domaine>', '</Domaine> '),
    changed('an older list made newer', /<DateDeGeneration>\d{4}/, '<DateDeGeneration>2099'),
    row(
      'the root in another namespace',
      'UnexpectedRoot',
      edit(xml, '"https://github.com/ansforge/DRIM-M_DATA"', '"urn:x"'),
    ),
    row(
      'the root under another name',
      'UnexpectedRoot',
      xml.replaceAll('ListeBlancheDRIM-M ', 'Liste ').replaceAll('/ListeBlancheDRIM-M', '/Liste'),
    ),
    row(
      'the whole list inside another root',
      'UnexpectedRoot',
      `${edit(xml, '<ListeBlancheDRIM-M ', '<x><ListeBlancheDRIM-M ')}</x>`,
    ),
    row('the genuine list inside a false one', 'SignaturePlacement', wrapped(xml, first)),
    row('a comment inside a host name', 'Comment', edit(xml, /<db>./, '<db>x<!---->')),
    row('a comment that only splits a host name', 'Comment', splitValue(xml, '<!---->'), removedByC14n),
    row('a comment between entries', 'Comment', edit(xml, '<Domaine>', '<!-- --><Domaine>'), removedByC14n),
    row(
      'a comment before the root',
      'Comment',
      edit(xml, '<ListeBlancheDRIM-M ', '<!-- --><ListeBlancheDRIM-M '),
      removedByC14n,
    ),
    row('a comment after the root', 'Comment', `${xml}<!-- -->`, removedByC14n),
    row(
      'a comment inside a digest',
      'Comment',
      edit(xml, /<ds:DigestValue>./, `${/<ds:DigestValue>./.exec(xml)?.[0] ?? ''}<!---->`),
      removedByC14n,
    ),
    row(
      'a comment inside the signature value',
      'Comment',
      edit(xml, /<ds:SignatureValue[^>]*>./, `${/<ds:SignatureValue[^>]*>./.exec(xml)?.[0] ?? ''}<!---->`),
      removedByC14n,
    ),
    row('an instruction inside a host name', 'ProcessingInstruction', splitValue(xml, '<?x y?>')),
    row(
      'an instruction before the root',
      'ProcessingInstruction',
      edit(xml, '<ListeBlancheDRIM-M ', '<?xml-stylesheet href="x"?><ListeBlancheDRIM-M '),
    ),
    row(
      'a foreign entry inside ds:Object',
      'ForeignContent',
      edit(xml, '</ds:Object>', `${foreign}</ds:Object>`),
      underSignature,
    ),
    row(
      'a foreign entry directly under ds:Signature',
      'ForeignContent',
      edit(xml, '</ds:Signature>', `${foreign}</ds:Signature>`),
    ),
    row(
      'a foreign entry inside KeyInfo',
      'ForeignContent',
      edit(xml, '</ds:KeyInfo>', `${foreign}</ds:KeyInfo>`),
      underSignature,
    ),
    row(
      'a foreign entry in UnsignedProperties',
      'ForeignContent',
      edit(
        xml,
        '</xades:SignedProperties>',
        `</xades:SignedProperties><xades:UnsignedProperties>${foreign}</xades:UnsignedProperties>`,
      ),
      underSignature,
    ),
    row(
      'a whole foreign list inside ds:Object',
      'ForeignContent',
      edit(xml, '</ds:Object>', `<ListeDomaines>${foreign}</ListeDomaines></ds:Object>`),
      underSignature,
    ),
  ];
}

const removedByC14n =
  'canonicalization drops comments: the signature holds, but readers may see the value in two pieces';
const underSignature =
  'the signature subtree is outside the digest: it holds, but a reader may take what stands there for a list';

function splitValue(xml: string, by: string): string {
  return edit(xml, /<db>./, `${/<db>./.exec(xml)?.[0] ?? ''}${by}`);
}

function wrapped(xml: string, entry: string): string {
  const start = xml.indexOf('<ListeBlancheDRIM-M ');
  const list = `<ListeBlancheDRIM-M xmlns="https://github.com/ansforge/DRIM-M_DATA"><DateDeGeneration>2026-01-01T00:00:00Z</DateDeGeneration>`;
  return `${xml.slice(0, start)}${list}<ListeDomaines>${entry}</ListeDomaines>${xml.slice(start)}</ListeBlancheDRIM-M>`;
}

export function row(name: string, reason: string, xml: string | Buffer, dssPasses?: string): Variant {
  const bytes = typeof xml === 'string' ? Buffer.from(xml, 'utf8') : xml;
  return { name, reason, bytes, ...(dssPasses === undefined ? {} : { dssPasses }) };
}
