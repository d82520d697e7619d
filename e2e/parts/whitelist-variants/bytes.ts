/** What is no list at all, or an attack on whatever parses it. */
import { gzipSync } from 'node:zlib';
import { row } from './document.ts';
import { edit, type Variant } from './variant.ts';

const declaration = /^<\?xml[^>]*\?>/;
const laughs = Array.from({ length: 9 }, (_, level) =>
  level === 0 ? '<!ENTITY a0 "ha">' : `<!ENTITY a${level} "${`&a${level - 1};`.repeat(10)}">`,
).join('');

export function brokenBytes(xml: string): readonly Variant[] {
  const body = xml.replace(declaration, '');
  const bytes = Buffer.from(xml, 'utf8');
  const middle = Math.floor(bytes.length / 3);
  const entity = (dtd: string): string =>
    edit(edit(xml, '<ListeBlancheDRIM-M ', `${dtd}<ListeBlancheDRIM-M `), /<db>/, '<db>&e;');
  return [
    row('a DOCTYPE', 'DocumentType', edit(xml, '<ListeBlancheDRIM-M ', '<!DOCTYPE x><ListeBlancheDRIM-M ')),
    row('an internal entity', 'DocumentType', entity('<!DOCTYPE x [<!ENTITY e "evil">]>')),
    row('an external entity', 'DocumentType', entity('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>')),
    row('an external DTD', 'DocumentType', entity('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">')),
    row('a billion laughs', 'DocumentType', entity(`<!DOCTYPE x [${laughs}<!ENTITY e "&a8;">]>`)),
    row(
      'an attribute by default from a DTD',
      'DocumentType',
      edit(xml, '<ListeBlancheDRIM-M ', '<!DOCTYPE x [<!ATTLIST Domaine Id CDATA "z">]><ListeBlancheDRIM-M '),
    ),
    row('an HTML page in its place', 'DocumentType', '<!doctype html><html><body>404</body></html>'),
    row('an undeclared entity', 'NotWellFormed', edit(xml, /<db>/, '<db>&e;')),
    row('cut short', 'NotWellFormed', bytes.subarray(0, middle)),
    row('cut after the last entry', 'NotWellFormed', xml.slice(0, xml.indexOf('</ListeDomaines>'))),
    row('nothing', 'NotWellFormed', ''),
    row('JSON in its place', 'NotWellFormed', '{"message":"Not Found"}'),
    row('two lists one after the other', 'NotWellFormed', xml + body),
    row('text after the root', 'NotWellFormed', `${xml}x`),
    row(
      'an attribute twice',
      'NotWellFormed',
      edit(xml, 'versionFormat="1.0.0"', 'versionFormat="1.0.0" versionFormat="1.0.0"'),
    ),
    row('a prefix bound to nothing', 'NotWellFormed', edit(xml, '<Domaine>', '<q:x/><Domaine>')),
    {
      ...row(
        '100 000 elements one inside the other',
        'NotWellFormed',
        edit(xml, '<Domaine>', `${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}<Domaine>`),
      ),
      dssDies: 'its parser overflows the stack of its thread',
    },
    row('UTF-16 with its mark', 'NotUtf8', Buffer.from(`\uFEFF${body}`, 'utf16le')),
    row('UTF-16 without its mark', 'NotUtf8', Buffer.from(body, 'utf16le')),
    row(
      'another encoding declared',
      'NotUtf8',
      xml.replace(declaration, '<?xml version="1.0" encoding="ISO-8859-1"?>'),
    ),
    row(
      'another encoding declared far away',
      'NotUtf8',
      xml.replace(declaration, `<?xml version="1.0"${' '.repeat(4_000)}encoding="ISO-8859-1"?>`),
    ),
    row('UTF-7', 'NotUtf8', xml.replace(declaration, '<?xml version="1.0" encoding="UTF-7"?>')),
    row(
      'a byte that is not UTF-8',
      'NotUtf8',
      Buffer.concat([bytes.subarray(0, middle), Buffer.from([0xe9]), bytes.subarray(middle)]),
    ),
    row('a NUL', 'NotUtf8', edit(xml, /<db>/, '<db>\0')),
    row('compressed', 'NotUtf8', gzipSync(bytes)),
  ];
}

/** Heavy ones: each must end in bounded time and memory. */
export function heavyLists(xml: string): readonly Variant[] {
  const million = 1_000_000;
  return [
    row('50 MB of entries', 'TooLarge', edit(xml, '<Domaine>', `${'<a></a>'.repeat(7 * million)}<Domaine>`)),
    row('50 MB of one text', 'TooLarge', edit(xml, /<db>/, `<db>${'x'.repeat(50 * million)}`)),
    row('4 MB of empty elements', 'DocumentChanged', edit(xml, '<Domaine>', `${'<a/>'.repeat(900_000)}<Domaine>`)),
    row('4 MB of Ids', 'DocumentChanged', edit(xml, '<Domaine>', `${ids(200_000)}<Domaine>`)),
    row(
      '4 MB of signatures',
      'SeveralSignatures',
      edit(
        xml,
        '<Domaine>',
        `${'<x xmlns="http://www.w3.org/2000/09/xmldsig#"><Signature/></x>'.repeat(60_000)}<Domaine>`,
      ),
    ),
    row(
      '4 MB of namespaces',
      'DocumentChanged',
      edit(xml, '<Domaine>', `<n ${namespaces(20_000)}>${'<p1:a/>'.repeat(100_000)}</n><Domaine>`),
    ),
  ];
}

function ids(count: number): string {
  return Array.from({ length: count }, (_, index) => `<a Id="${index}"/>`).join('');
}

function namespaces(count: number): string {
  return Array.from({ length: count }, (_, index) => `xmlns:p${index}="urn:p${index}" p${index}:a=""`).join(' ');
}
