/** What we send, and what our DMP answers, before judges that we did not write: IPF, DSS, xmlsec1. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeXades } from '../../e2e/judges/dss.ts';
import { judgeXds, startXdsServer } from '../../e2e/judges/ipf.ts';
import { verifyByXmlsec1 } from '../../e2e/judges/xmlsec1.ts';
import { signSubmission } from '../../common/signature/submission-signature.ts';
import { element } from '../../common/signature/xml-writer.ts';
import { createDmpClient } from './client.ts';
import { dmpWorld, removalOf, submission, user } from './dmp.testing.ts';
import { entryUuidOf } from './entry-uuid.ts';
import { envelope } from './envelope.ts';
import { rootPart } from './multipart-answer.ts';
import { type PreparedRequest, prepareRemoval, prepareSearch, prepareSubmission } from './prepare.ts';
import { agentOf, edited, sendRaw } from './strictness.testing.ts';
import { vihf } from './vihf.ts';

const world = await dmpWorld();
const { pki, preparation } = world;
test.after(() => world.close());

const signed = submission();
const signature = signSubmission(
  {
    signatureId: signed.signatureId,
    submissionSetId: signed.uniqueId,
    documents: [{ uniqueId: signed.entry.uniqueId, bytes: signed.kos }],
    signingTime: new Date(),
  },
  preparation.key,
);
const anchors = [pki.root.certificateFile, pki.organisations.certificateFile];
const roots = [pki.root.certificateFile];
const intermediates = [pki.organisations.certificateFile];
const documentUri = `urn:oid:${signed.entry.uniqueId}`;
const setUri = `urn:oid:${signed.uniqueId}`;
const whole = (kos: Uint8Array): ReadonlyMap<string, Uint8Array> => new Map([[documentUri, kos]]);

type Message = Pick<PreparedRequest, 'contentType' | 'body'>;

function rootOf({ contentType, body }: Message): Buffer {
  return rootPart(contentType, body);
}

/** The infoset that XOP stands for (XOP §3.2): documents in their place. */
function reconstituted(prepared: Message): Buffer {
  const root = rootOf(prepared).toString('utf8');
  return Buffer.from(root.replaceAll(/<xop:Include[^>]*>/g, Buffer.from('document').toString('base64')));
}

test('IPF finds nothing in TD2.1, TD2.1b, TD3.1b and TD3.3c', async () => {
  const first = prepareSubmission(signed, preparation);
  const second = prepareSubmission(submission({ replaces: entryUuidOf(signed.entry.uniqueId) }), preparation);
  const search = prepareSearch(signed.entry.uniqueId, user, signed.entry.patient, preparation);
  const verdicts = await judgeXds([reconstituted(first), reconstituted(second), search.body]);
  for (const { message, schema, ipf, error } of verdicts)
    assert.equal({ schema, ipf, error }, { schema: 'valid', ipf: 'valid', error: undefined }, message);
  // IPF has no validator for a bare SubmitObjectsRequest of ITI-57 as the DMP uses it: the schema judges it
  const removal = prepareRemoval(removalOf(signed, entryUuidOf(signed.entry.uniqueId)), preparation);
  const [verdict] = await judgeXds([removal.body]);
  assert.equal([verdict?.message, verdict?.schema], ['SubmitObjectsRequest', 'valid']);
});

test('IPF finds nothing in what our DMP answers', async () => {
  const client = createDmpClient(world.config, { now: () => new Date() });
  const one = submission();
  await client.publish(one);
  await client.publish(one);
  await client.remove(removalOf(one, entryUuidOf(one.entry.uniqueId)));
  await client.close();
  const answers = world.dmp.requests().map((file) => readFileSync(file.replace(/\.mime$/, '.answer')));
  assert.ok(answers.length >= 5);
  for (const { schema, ipf, error, message } of await judgeXds(answers))
    assert.equal({ schema, ipf, error }, { schema: 'valid', ipf: 'valid', error: undefined }, message);
});

test("IPF finds nothing in our DMP's LeafClass, document and refusal; the document comes back byte for byte", async () => {
  const own = agentOf(world, world.authentication);
  const client = createDmpClient(world.config, { now: () => new Date() });
  const one = submission();
  await client.publish(one);
  const { uniqueId, patient } = one.entry;
  const objectRef = prepareSearch(uniqueId, user, patient, preparation);
  const leaf = await sendRaw(edited(objectRef, 'returnType="ObjectRef"', 'returnType="LeafClass"'), own);
  const byPatient = await sendRaw(
    edited(
      edited(
        edited(objectRef, '5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4', '12941a89-e02e-4be5-967c-ce4bfc8fe492'),
        /<rim:Slot.*<\/rim:Slot>/,
        [
          ['$$XDSDocumentEntryPatientId', `'${patient.matricule}^^^&amp;${patient.oid}&amp;ISO^NH'`],
          ['$$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"],
          ['$$XDSDocumentEntryTypeCode', "('IMG-KOS^^1.2.250.1.213.1.1.4.12')"],
          ['$$XDSDocumentEntryReferenceIdList', "('2.25.1001^^^^urn:ihe:iti:xds:2016:studyInstanceUID')"],
        ]
          .map(
            ([name = '', value = '']) =>
              `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${value}</rim:Value></rim:ValueList></rim:Slot>`,
          )
          .join(''),
      ),
      'returnType="ObjectRef"',
      'returnType="LeafClass"',
    ),
    own,
  );
  assert.match(byPatient.body.toString('utf8'), uniqueId);
  const refused = await sendRaw(edited(objectRef, '5c4f972b', '00000000'), own);
  const action = 'urn:ihe:iti:2007:RetrieveDocumentSet';
  const url = objectRef.url.replace(/registry$/, 'repository');
  const body = element(
    'x:RetrieveDocumentSetRequest',
    { 'xmlns:x': 'urn:ihe:iti:xds-b:2007' },
    element(
      'x:DocumentRequest',
      {},
      element('x:RepositoryUniqueId', {}, '1.2.250.1.999.1.2'),
      element('x:DocumentUniqueId', {}, uniqueId),
    ),
  );
  const assertion = vihf(
    { user, patient, software: preparation.software, now: new Date(), uuid: randomUUID() },
    preparation.key,
  );
  const messageId = `urn:uuid:${randomUUID()}`;
  const retrieve = {
    url,
    contentType: 'application/soap+xml',
    body: envelope({ action, to: url, messageId, assertion, body }),
  };
  const retrieved = await sendRaw({ ...objectRef, ...retrieve }, own);
  assert.ok(retrieved.body.includes(Buffer.from(one.kos)));
  const verdicts = await judgeXds([leaf.body, byPatient.body, refused.body, retrieve.body, reconstituted(retrieved)]);
  for (const { schema, ipf, error, message } of verdicts)
    assert.equal({ schema, ipf, error }, { schema: 'valid', ipf: 'valid', error: undefined }, message);
  await client.close();
  await own.close();
});

test('a repository of IPF takes our MTOM publication, and its registry gives the entry back', async () => {
  const server = await startXdsServer(world.directory);
  const client = createDmpClient({ ...world.config, url: server.url }, { now: () => new Date() });
  try {
    const one = submission();
    const outcome = await client.publish(one);
    assert.equal(outcome, {
      kind: 'published',
      entryUuid: entryUuidOf(one.entry.uniqueId),
      alreadyRegistered: false,
    });
    assert.match(server.part.log(), `stored ${one.entry.uniqueId} ${one.kos.length}`);
    assert.equal(await client.findEntryUuid(one.entry.uniqueId, user, one.entry.patient), {
      kind: 'found',
      entryUuid: entryUuidOf(one.entry.uniqueId),
    });
    const nobody = await client.findEntryUuid(submission().entry.uniqueId, user, one.entry.patient);
    assert.equal(nobody, { kind: 'absent' });
  } finally {
    await client.close();
    await server.part.stop();
  }
});

/** CI-SIS wants an OID in Signature/@Id and bare text in SignatureProperty (§5.8); the schema of XML-DSig has neither. */
const FRENCH =
  /is not a valid value for 'NCName'|attribute 'Id' on element 'ds:Signature'|'ds:SignatureProperty' is not complete/;

test('DSS: the signature of the submission set passes with its document', async () => {
  const { signatures, error } = await judgeXades({ signature, detached: whole(signed.kos) }, anchors);
  const [one] = signatures ?? [];
  assert.is(error, undefined);
  assert.is(one?.indication, 'TOTAL_PASSED');
  assert.is(one?.trusted, true);
  assert.equal(
    one?.structureErrors.filter((message) => !FRENCH.test(message)),
    [],
  );
  const references = new Map(one?.references.map(({ uri, intact }) => [uri, intact]));
  assert.is(references.get(documentUri), true);
  // the set has no bytes: its reference is a placeholder that nobody can check
  assert.is(references.get(setUri), false);
});

const spoilt = [
  { what: 'a byte of the document', kos: true, change: (xml: string) => xml },
  {
    what: 'a digest of the manifest',
    kos: false,
    change: (xml: string) =>
      xml.replace(
        /(Manifest.*?<ds:DigestValue>)(?!AA==)(.)/s,
        (_, before: string, first: string) => `${before}${first === 'A' ? 'B' : 'A'}`,
      ),
  },
  {
    what: 'a uniqueId of the manifest',
    kos: false,
    change: (xml: string) => xml.replace(setUri, `${setUri}1`),
  },
  {
    what: 'a signed property',
    kos: false,
    change: (xml: string) => xml.replace(/<xad:SigningTime>2/, '<xad:SigningTime>3'),
  },
];
for (const { what, kos, change } of spoilt)
  test(`DSS and xmlsec1: ${what} changed is not passed`, async () => {
    const bytes = Buffer.from(signed.kos);
    if (kos) bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    const changed = Buffer.from(change(signature.toString('utf8')));
    assert.is(changed.equals(signature), kos);
    const { signatures } = await judgeXades({ signature: changed, detached: whole(bytes) }, anchors);
    assert.is.not(signatures?.[0]?.indication, 'TOTAL_PASSED');
    // xmlsec1 looks at the signature document alone
    assert.is((await verifyByXmlsec1(changed, roots, intermediates)).valid, kos);
  });

test('xmlsec1: the signature of the submission set is valid up to the root', async () => {
  const verdict = await verifyByXmlsec1(signature, roots, intermediates);
  assert.ok(verdict.valid, verdict.output);
  const foreign = await verifyByXmlsec1(signature, [pki.foreign.certificateFile], intermediates);
  assert.not(foreign.valid);
});

test('xmlsec1: the VIHF is valid inside each envelope, and not after one changed attribute', async () => {
  const { body } = prepareSearch(signed.entry.uniqueId, user, signed.entry.patient, preparation);
  for (const xml of [body, rootOf(prepareSubmission(signed, preparation))]) {
    const verdict = await verifyByXmlsec1(xml, roots, intermediates);
    assert.ok(verdict.valid, verdict.output);
    const changed = xml.toString('utf8').replace('>INDIRECTE<', '>DIRECTE<');
    assert.not((await verifyByXmlsec1(Buffer.from(changed), roots, intermediates)).valid);
  }
});

test.run();
