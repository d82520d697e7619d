/** Each strictness of the DMP we test against, met by a request that breaks just one rule: what it accepts means something. */
import { test } from 'uvu';
import { dmpWorld, STRUCTURE, submission, user } from './dmp.testing.ts';
import { type PreparedRequest, prepareSearch, prepareSubmission } from './prepare.ts';
import { agentOf, type Case, edited, keyOf, refuses, workshop } from './strictness.testing.ts';
import type { SigningKey } from '../../common/signature/signing-key.ts';

const world = await dmpWorld();
const { pki, preparation } = world;
const { publication, search, edit, say } = workshop(world);
const own = agentOf(world, world.authentication);
const otherStructure = { organizationalUnit: '3222222222', commonName: 'AUTRE' } as const;
const other = agentOf(world, await pki.issue({ ...otherStructure, kind: 'AUTH_CLI' }));
const otherKey = keyOf(await pki.issue({ ...otherStructure, kind: 'SIGN' }));
const sign = { commonName: 'CABINET ESSAI', organizationalUnit: STRUCTURE, kind: 'SIGN' } as const;
const foreignKey = keyOf(await pki.issue({ ...sign, issuer: pki.foreign }));
const revoked = await pki.issue(sign);
await pki.revoke(revoked);
const day = 86_400_000;
const past = { notBefore: new Date(Date.now() - 9 * day), notAfter: new Date(Date.now() - 8 * day) };
const expiredKey = keyOf(await pki.issue({ ...sign, ...past }));

test.after(async () => {
  await own.close();
  await other.close();
  await world.close();
});

const signedBy = (key: SigningKey): PreparedRequest => prepareSubmission(submission(), { ...preparation, key });

const envelope: readonly Case[] = [
  {
    name: 'SOAP 1.1',
    make: edit('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'),
    because: /SOAP 1\.2/,
  },
  { name: 'a DOCTYPE', make: edit('<soap:Envelope', '<!DOCTYPE x><soap:Envelope'), because: /DOCTYPE/ },
  { name: 'not well-formed', make: edit('</soap:Body>', ''), because: /not well-formed/ },
  {
    name: 'no MessageID',
    make: edit(/<wsa:MessageID>.*?<\/wsa:MessageID>/, ''),
    because: /wsa:MessageID must be there once/,
  },
  {
    name: 'an unknown action',
    make: () => ({ ...edited(search(), />urn:ihe:iti:2007:RegistryStoredQuery</, '>urn:x<') }),
    because: /no action of the DMP/,
  },
  { name: 'another To', make: edit(/<wsa:To>[^<]*</, '<wsa:To>https://other/registry<'), because: /wsa:To/ },
  { name: 'Action without mustUnderstand', make: edit('soap:mustUnderstand="true"', ''), because: /mustUnderstand/ },
  { name: 'no VIHF', make: edit(/<saml2:Assertion.*<\/saml2:Assertion>/s, ''), because: /no VIHF/ },
  {
    name: 'a publication without MTOM',
    make: () => ({ ...publication(), contentType: 'application/soap+xml' }),
    because: /./,
  },
  {
    name: 'LF instead of CRLF',
    make: () => ({
      ...publication(),
      body: Buffer.from(publication().body.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
    }),
    because: /boundary|CRLF|end/,
  },
  {
    name: 'a start-info of SOAP 1.1',
    make: () => {
      const one = publication();
      return {
        ...one,
        contentType: one.contentType.replace('start-info="application/soap+xml"', 'start-info="text/xml"'),
      };
    },
    because: /start-info/,
  },
];

const vihf: readonly Case[] = [
  {
    name: 'VIHF changed after signing',
    make: () => edited(search(), '>INDIRECTE<', '>DIRECTE<'),
    because: /VIHF: .*(verify|digest)/i,
  },
  { name: 'VIHF_Version 3.0', make: say('>4.0<', '>3.0<'), because: /VIHF_Version is not 4\.0/ },
  { name: 'direct mode', make: say('>INDIRECTE<', '>DIRECTE<'), because: /Authentification_Mode/ },
  { name: 'a sector without its system', make: say('SA08^1.2.250.1.71.4.2.4', 'SA08'), because: /Secteur_Activite/ },
  { name: 'no skill for a physician', make: say(/<Role [^>]*SM44[^>]*>/, ''), because: /needs a second role/ },
  { name: 'another purpose of use', make: say('code="normal"', 'code="urgence"'), because: /purposeofuse/ },
  {
    name: 'no homologation id',
    make: say(/<saml2:Attribute Name="LPS_ID_HOMOLOGATION_DMP">.*?<\/saml2:Attribute>/, ''),
    because: /LPS_ID_HOMOLOGATION_DMP is missing/,
  },
  { name: 'a resource that is no INS', make: say(/\d{15}\^\^\^/, '123^^^'), because: /resource-id .* is no INS/ },
  {
    name: 'an expired VIHF',
    make: say(/NotOnOrAfter="[^"]*"/, 'NotOnOrAfter="2020-01-01T00:00:00Z"'),
    because: /expired/,
  },
  {
    name: 'an old VIHF',
    make: () =>
      prepareSearch(submission().entry.uniqueId, user, submission().entry.patient, {
        ...preparation,
        now: () => new Date(Date.now() - 3_600_000),
      }),
    because: /IssueInstant/,
  },
  { name: 'an issuer that did not sign', make: say('CN=CABINET ESSAI', 'CN=AUTRE'), because: /Issuer is not the name/ },
  { name: 'a user without national id', make: say('899999999901', 'jdupont'), because: /no PS_IdNat/ },
  { name: 'a certificate of another PKI', make: () => signedBy(foreignKey), because: /does not chain/ },
  { name: 'a revoked signing certificate', make: () => signedBy(keyOf(revoked)), because: /revoked/ },
  { name: 'an expired signing certificate', make: () => signedBy(expiredKey), because: /the certificate expired/ },
  {
    name: 'signed with the certificate for connections',
    make: () => signedBy(keyOf(world.authentication)),
    because: /not a signature certificate/,
  },
  { name: 'signed by another structure', make: () => signedBy(otherKey), because: /signed by structure 3222222222/ },
  {
    name: 'connected as another structure',
    make: search,
    agent: other,
    because: /is not the structure of the certificate 3222222222/,
  },
];

refuses(world, [...envelope, ...vihf], own);
test.run();
