/** Rightly signed by the right signer, and still not a list that one can read in one way only. DSS judges signatures, not lists. */
import { row } from './document.ts';
import { forge, type Signer } from './forge.ts';
import { edit, type Variant } from './variant.ts';

const signatureOnly = 'the signature is good: DSS judges signatures, not what a list must hold';

/** @param list unsigned */
export function badContents(list: string, signer: Signer): readonly Variant[] {
  const signed = (name: string, reason: string, from: string | RegExp, to: string, why = signatureOnly): Variant =>
    row(name, reason, forge({ list: edit(list, from, to), signer }), why);
  const date = /<DateDeGeneration>[^<]*<\/DateDeGeneration>/;
  const operator = /<DNCertificatOperateur>[^<]*</;
  const named = (dn: string): string => `<DNCertificatOperateur>${dn}<`;
  const entry = /<Domaine>[^]*?<\/Domaine>/.exec(list)?.[0] ?? '';
  return [
    signed('a comment signed inside a value', 'Comment', /<db>/, '<db>x<!-- -->'),
    signed('an instruction signed inside a value', 'ProcessingInstruction', /<db>/, '<db>x<?y?>'),
    signed('no entry', 'EmptyList', /<Domaine>[^]*<\/Domaine>/, ''),
    signed('an entry beside ListeDomaines', 'ShadowedEntry', '</ListeDomaines>', `</ListeDomaines>${entry}`),
    signed('an entry inside an entry', 'ShadowedEntry', '</Domaine>', `${entry}</Domaine>`),
    signed(
      'an entry in another namespace',
      'ShadowedEntry',
      '</ListeDomaines>',
      `${edit(entry, '<Domaine>', '<Domaine xmlns="urn:x">')}</ListeDomaines>`,
    ),
    signed(
      'an entry inside an unknown element',
      'ShadowedEntry',
      '</ListeDomaines>',
      `<Autres>${entry}</Autres></ListeDomaines>`,
    ),
    signed('two ListeDomaines', 'ListField', '</ListeDomaines>', '</ListeDomaines><ListeDomaines/>'),
    signed('no generation date', 'ListField', date, ''),
    signed(
      'two generation dates',
      'ListField',
      date,
      '<DateDeGeneration>2026-01-01T00:00:00Z</DateDeGeneration><DateDeGeneration>2026-01-02T00:00:00Z</DateDeGeneration>',
    ),
    signed('a generation date that is none', 'ListField', date, '<DateDeGeneration>01/02/2026</DateDeGeneration>'),
    signed(
      'a generation date without zone',
      'ListField',
      date,
      '<DateDeGeneration>2026-01-01T00:00:00</DateDeGeneration>',
    ),
    signed('generated in the future', 'ListField', /<DateDeGeneration>\d{4}/, '<DateDeGeneration>2099'),
    signed('another version of the format', 'ListVersion', 'versionFormat="1.0.0"', 'versionFormat="2.0.0"'),
    signed('no version of the format', 'ListVersion', ' versionFormat="1.0.0"', ''),
    signed('an entry without host name', 'ListField', /<db>[^<]*<\/db>/, ''),
    signed('an entry with an empty host name', 'ListField', /<db>[^<]*<\/db>/, '<db> </db>'),
    signed('an entry with two host names', 'ListField', /<db>/, '<db>other.example</db><db>'),
    signed('an element inside a host name', 'ListField', /<db>/, '<db><b/>'),
    signed('an entry without operator', 'ListField', /<DNCertificatOperateur>[^<]*<\/DNCertificatOperateur>/, ''),
    signed('an operator without CN', 'ListField', operator, named('OU=1,O=x')),
    signed('an operator without OU', 'ListField', operator, named('CN=a.example,O=x')),
    signed('an operator with two CN', 'ListField', operator, named('CN=a.example,CN=b.example,OU=1')),
    signed('an operator with two OU', 'ListField', operator, named('CN=a.example,OU=1,OU=2')),
    signed('an operator with an empty CN', 'ListField', operator, named('CN=,OU=1')),
    signed('an operator that is no name', 'ListField', operator, named('a.example / 1')),
    signed('an operator with an open quote', 'ListField', operator, named('CN="a.example,OU=1')),
  ];
}
