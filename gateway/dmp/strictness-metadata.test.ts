/** Each strictness of the DMP we test against, met by a request that breaks just one rule: what it accepts means something. */
import { test } from 'uvu';
import { patients } from '../../e2e/parts/patients.ts';
import { dmpWorld, identity, removalOf, submission } from './dmp.testing.ts';
import { entryUuidOf } from './entry-uuid.ts';
import { prepareRemoval, prepareSubmission } from './prepare.ts';
import { agentOf, type Case, edited, refuses, workshop } from './strictness.testing.ts';

const world = await dmpWorld();
const { preparation } = world;
const { publication, search, edit, spoilSignature } = workshop(world);
const own = agentOf(world, world.authentication);

test.after(async () => {
  await own.close();
  await world.close();
});

const metadata: readonly Case[] = [
  {
    name: 'a hash of other bytes',
    make: edit(/(?<before><rim:Slot name="hash"><rim:ValueList><rim:Value>)[0-9a-f]{8}/, '$<before>00000000'),
    because: /XDSNonIdenticalHash/,
  },
  {
    name: 'another size',
    make: edit('<rim:Slot name="size"><rim:ValueList><rim:Value>', '<rim:Slot name="size"><rim:ValueList><rim:Value>1'),
    because: /size .* is not that of the bytes/,
  },
  {
    name: 'another class',
    make: edit('nodeRepresentation="31"', 'nodeRepresentation="10"'),
    because: /classCode 10 is not 31/,
  },
  {
    name: 'another type',
    make: edit('nodeRepresentation="IMG-KOS"', 'nodeRepresentation="18748-4"'),
    because: /typeCode 18748-4/,
  },
  {
    name: 'another format',
    make: edit('nodeRepresentation="1.2.840.10008.5.1.4.1.1.88.59"', 'nodeRepresentation="x"'),
    because: /formatCode x/,
  },
  {
    name: 'another MIME type',
    make: edit('mimeType="application/dicom"', 'mimeType="application/octet-stream"'),
    because: /mimeType/,
  },
  {
    name: 'no creation time',
    make: edit(/<rim:Slot name="creationTime">.*?<\/rim:Slot>/, ''),
    because: /creationTime is missing/,
  },
  {
    name: 'no accession number',
    make: edit(/<rim:Value>[^<]*accession<\/rim:Value>/, ''),
    because: /referenceIdList has no accession/,
  },
  {
    name: 'no order number',
    make: edit(/<rim:Value>[^<]*xds:2013:order<\/rim:Value>/, ''),
    because: /referenceIdList has no order/,
  },
  {
    name: 'no study',
    make: edit(/<rim:Value>[^<]*studyInstanceUID<\/rim:Value>/, ''),
    because: /referenceIdList has no study/,
  },
  {
    name: 'the study of another KOS',
    make: edit(/2\.25\.1001(\^+urn)/, '2.25.1002$1'),
    because: /lacks the study 2\.25\.1001/,
  },
  {
    name: 'no modality',
    make: edit(/<rim:Value>1\.2\.840\.10008\.2\.16\.4</g, '<rim:Value>1.2.250.1.213.2.5<'),
    because: /eventCodeList has/,
  },
  {
    name: 'visibility before confidentiality',
    make: edit('<rim:Value>2.16.840.1.113883.5.25<', '<rim:Value>1.2.250.1.213.1.1.4.13<'),
    because: /confidentialityCode must start/,
  },
  {
    name: 'slots after classifications',
    make: edit(/(<rim:Slot name="creationTime">.*?<\/rim:Slot>)(.*?)(<\/rim:ExtrinsicObject>)/s, '$2$1$3'),
    because: /not in the order of the ebRIM schema/,
  },
  {
    name: 'an unsigned submission set',
    make: edit(/associationType="[^"]*:signs"/, 'associationType="x"'),
    because: /no signs association/,
  },
  {
    name: 'an entry outside the set',
    make: edit(/associationType="[^"]*HasMember"/, 'associationType="x"'),
    because: /no HasMember/,
  },
  {
    name: 'another patient in the entry',
    make: edit(/value="\d{15}(\^+[^"]*NH")/, 'value="199999999999999$1'),
    because: /XDSPatientIdDoesNotMatch|PatientID of the KOS/,
  },
  {
    name: 'a submission set of another structure',
    make: edit(/(?<before><rim:RegistryPackage.*?)1999999999</s, '$<before>3222222222<'),
    because: /authorInstitution is not the structure of the VIHF/,
  },
  { name: 'a person without IDNPS', make: edit(/\^D\^\^\^IDNPS/, ''), because: /legalAuthenticator .* is malformed/ },
  {
    name: 'an unknown content type',
    make: edit('<rim:Value>1.2.250.1.213.2.2<', '<rim:Value>1.2.3<'),
    because: /contentTypeCode/,
  },
  { name: 'a part that is missing', make: edit('href="cid:1"', 'href="cid:9"'), because: /XDSMissingDocument/ },
];

const contents: readonly Case[] = [
  {
    name: 'a uniqueId that is not that of the KOS',
    make: () => {
      const one = submission();
      return prepareSubmission({ ...one, entry: { ...one.entry, uniqueId: submission().entry.uniqueId } }, preparation);
    },
    because: /uniqueId is not the SOPInstanceUID/,
  },
  {
    name: 'the KOS of another patient',
    make: () => {
      const one = submission({ patient: identity(patients.corsicanSouth) });
      return prepareSubmission({ ...one, entry: { ...one.entry, patient: submission().entry.patient } }, preparation);
    },
    because: /PatientID of the KOS/,
  },
  {
    name: 'a document that is no DICOM',
    make: () => publication({ kos: Buffer.alloc(400) }),
    because: /no DICOM Part 10/,
  },
  {
    name: 'a KOS cut short',
    make: () => publication({ kos: submission().kos.subarray(0, 500) }),
    because: /cut|SOPInstanceUID/,
  },
  {
    name: 'a signature whose manifest was changed',
    make: () => spoilSignature(/(Manifest.*AA==.*?<ds:DigestValue>)../s, '$1zz'),
    because: /submission signature/,
  },
  {
    name: 'a replacement of what is not there',
    make: () => publication({ replaces: 'urn:uuid:00000000-0000-4000-8000-000000000000' }),
    because: /RPLC: .* is not registered/,
  },
  {
    name: 'a removal of what is not there',
    make: () => prepareRemoval(removalOf(submission(), 'urn:uuid:00000000-0000-4000-8000-000000000000'), preparation),
    because: /is not registered/,
  },
  {
    name: 'a removal to another status',
    make: () =>
      edited(
        prepareRemoval(removalOf(submission(), entryUuidOf(submission().entry.uniqueId)), preparation),
        'asip:ci-sis:2010:StatusType:Deleted',
        'x',
      ),
    because: /NewStatus/,
  },
  {
    name: 'an unknown stored query',
    make: () => edited(search(), '5c4f972b', '00000000'),
    because: /XDSUnknownStoredQuery/,
  },
  {
    name: 'a query without its parameter',
    make: () => edited(search(), '$XDSDocumentEntryUniqueId', '$XDSOther'),
    because: /XDSStoredQueryMissingParam/,
  },
  {
    name: 'a query value without quotes',
    make: () => edited(search(), /\('[^']*'\)/, 'abc'),
    because: /XDSStoredQueryParamNumber/,
  },
];

refuses(world, [...metadata, ...contents], own);
test.run();
