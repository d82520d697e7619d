/** TD2.1 and TD2.1b (ITI-41): checked as a whole, then registered as a whole. */
import { createHash, randomUUID } from 'node:crypto';
import { checkEntry, one } from './entry-rules.ts';
import { readKosHeader } from './kos-header.ts';
import { link, uri } from './names.ts';
import { metadata, RegistryRefusal } from './refusals.ts';
import type { Link, RegistryObject } from './registry-objects.ts';
import { type DmpEntry, refuseDuplicates, type Registry } from './registry.ts';
import type { SoapRequest } from './soap.ts';
import { checkSubmissionSignature } from './submission-signature.ts';
import { readSubmittedObjects, type SubmittedObjects } from './submission-set.ts';
import type { Trust } from './trust.ts';
import type { Caller } from './vihf.ts';
import { children, descend, writeXml } from './xml.ts';

export interface Publication {
  /** Makes it so. */
  register(): void;
}

/** @throws RegistryRefusal @throws SoapFault */
export async function checkPublication(
  request: SoapRequest,
  caller: Caller,
  registry: Registry,
  trust: Trust,
): Promise<Publication> {
  const submit = descend(request.body, uri.lcm, 'SubmitObjectsRequest');
  metadata(submit !== undefined, 'no SubmitObjectsRequest');
  const submitted = readSubmittedObjects(submit, caller);
  const bytes = documentsOf(request, submitted.entries);
  const [kos, signature] = theTwo(submitted.entries);
  const kosBytes = bytes.get(kos.id) ?? Buffer.alloc(0);
  const signatureBytes = bytes.get(signature.id) ?? Buffer.alloc(0);
  checkEntry(kos, 'kos', kosBytes);
  checkEntry(signature, 'signature', signatureBytes);
  checkKos(kos, kosBytes);
  for (const { id, identifiers } of submitted.entries)
    metadata(
      identifiers.get('patientId') === caller.patient,
      `${id}: patientId is not the patient of the submission set`,
      'XDSPatientIdDoesNotMatch',
    );
  const uniqueId = (entry: RegistryObject): string => entry.identifiers.get('uniqueId') ?? '';
  metadata(
    uniqueId(kos) !== uniqueId(signature),
    'two entries have one uniqueId',
    'XDSRegistryDuplicateUniqueIdInMessage',
  );
  checkLinks(submitted, kos, signature);
  await checkSubmissionSignature(
    signatureBytes,
    {
      submissionSetId: submitted.setId,
      documents: new Map([[uniqueId(kos), kosBytes]]),
      signatureId: uniqueId(signature),
      structure: caller.structure,
    },
    trust,
  );
  const contents = new Map([
    [uniqueId(kos), kosBytes],
    [uniqueId(signature), signatureBytes],
  ]);
  refuseDuplicates(registry, submitted.setId, contents);
  const replaces = checkReplacement(submitted.links, kos, caller, registry);
  return {
    register() {
      const entries = [kos, signature].map((entry) =>
        toEntry(entry, submitted.setId, contents, entry === kos ? replaces : undefined),
      );
      registry.add(
        {
          uniqueId: submitted.setId,
          kind: replaces === undefined ? 'publication' : 'replacement',
          patientId: caller.patient,
          structure: caller.structure,
          entries: entries.map(({ entryUuid }) => entryUuid),
        },
        entries,
        contents,
      );
    },
  };
}

function documentsOf(request: SoapRequest, entries: readonly RegistryObject[]): ReadonlyMap<string, Buffer> {
  const documents = new Map<string, Buffer>();
  for (const document of children(request.body, uri.xdsb, 'Document')) {
    const href = descend(document, uri.xop, 'Include')?.getAttribute('href') ?? '';
    const part = request.mtom?.parts.get(decodeURIComponent(href.replace(/^cid:/, '')));
    const id = document.getAttribute('id') ?? '';
    metadata(href.startsWith('cid:') && part !== undefined, `Document ${id}: no part ${href}`, 'XDSMissingDocument');
    documents.set(id, part.content);
  }
  for (const { id } of entries) metadata(documents.has(id), `${id}: no Document`, 'XDSMissingDocument');
  metadata(documents.size === entries.length, 'a Document has no ExtrinsicObject', 'XDSMissingDocumentMetadata');
  return documents;
}

function theTwo(entries: readonly RegistryObject[]): readonly [kos: RegistryObject, signature: RegistryObject] {
  const [kos] = entries.filter((entry) => one(entry, 'typeCode').code !== 'E1762');
  const [signature] = entries.filter((entry) => one(entry, 'typeCode').code === 'E1762');
  metadata(signature !== undefined, 'the submission set is not signed: no signature entry (typeCode E1762)');
  metadata(kos !== undefined && entries.length === 2, 'one KOS and its signature are wanted');
  return [kos, signature];
}

function checkKos(kos: RegistryObject, bytes: Buffer): void {
  const header = readKosHeader(bytes);
  const same = (holds: boolean, context: string): void =>
    metadata(holds, `${kos.id}: ${context}`, 'XDSRepositoryMetadataError');
  same(
    header.sopClassUid === '1.2.840.10008.5.1.4.1.1.88.59',
    `the document is SOP class ${header.sopClassUid}, no KOS`,
  );
  same(
    header.sopInstanceUid === kos.identifiers.get('uniqueId'),
    `uniqueId is not the SOPInstanceUID ${header.sopInstanceUid} of the KOS`,
  );
  same(
    header.patientId === kos.identifiers.get('patientId')?.split('^')[0],
    'patientId is not the PatientID of the KOS',
  );
  same(
    (kos.slots.get('urn:ihe:iti:xds:2013:referenceIdList') ?? []).some((value) =>
      value.startsWith(`${header.studyInstanceUid}^`),
    ),
    `referenceIdList lacks the study ${header.studyInstanceUid} of the KOS`,
  );
}

function checkLinks({ set, links }: SubmittedObjects, kos: RegistryObject, signature: RegistryObject): void {
  for (const { id } of [kos, signature])
    metadata(
      links.some(
        ({ type, source, target, slots }) =>
          type === link.member &&
          source === set.id &&
          target === id &&
          slots.get('SubmissionSetStatus')?.[0] === 'Original',
      ),
      `${id}: no HasMember from the submission set with SubmissionSetStatus Original`,
    );
  metadata(
    links.some(({ type, source, target }) => type === link.signs && source === signature.id && target === set.id),
    'no signs association from the signature to the submission set',
  );
}

/** @returns the entry it replaces. */
function checkReplacement(
  links: readonly Link[],
  kos: RegistryObject,
  caller: Caller,
  registry: Registry,
): string | undefined {
  const [replacement, ...others] = links.filter(({ type }) => type === link.replaces);
  if (replacement === undefined) return undefined;
  metadata(others.length === 0 && replacement.source === kos.id, 'RPLC does not start at the KOS');
  const target = registry.byEntryUuid(replacement.target);
  metadata(target !== undefined, `RPLC: ${replacement.target} is not registered`);
  if (target.status !== 'approved')
    throw new RegistryRefusal('XDSRegistryDeprecatedDocumentError', `RPLC: ${replacement.target} is ${target.status}`);
  metadata(
    target.patientId === caller.patient,
    'RPLC: the replaced entry is of another patient',
    'XDSPatientIdDoesNotMatch',
  );
  return target.entryUuid;
}

function toEntry(
  entry: RegistryObject,
  submissionSetId: string,
  contents: ReadonlyMap<string, Buffer>,
  replaces: string | undefined,
): DmpEntry {
  const uniqueId = entry.identifiers.get('uniqueId') ?? '';
  const typeCode = one(entry, 'typeCode');
  const slot = (name: string): string => entry.slots.get(name)?.[0] ?? '';
  return {
    // ITI TF-3 §4.1.12.3: a UUID is kept, a symbolic id is exchanged
    entryUuid: entry.id.startsWith('urn:uuid:') ? entry.id : `urn:uuid:${randomUUID()}`,
    uniqueId,
    patientId: entry.identifiers.get('patientId') ?? '',
    status: 'approved',
    kind: typeCode.code === 'E1762' ? 'signature' : 'kos',
    mimeType: entry.element.getAttribute('mimeType') ?? '',
    submissionSetId,
    ...(replaces !== undefined && { replaces }),
    hidden: false,
    typeCode: `${typeCode.code}^^${typeCode.system}`,
    creationTime: slot('creationTime'),
    serviceStartTime: slot('serviceStartTime'),
    eventCodes: (entry.codes.get('eventCodeList') ?? []).map(({ code, system }) => `${code}^^${system}`),
    referenceIds: entry.slots.get('urn:ihe:iti:xds:2013:referenceIdList') ?? [],
    hash: createHash('sha1')
      .update(contents.get(uniqueId) ?? '')
      .digest('hex'),
    xml: writeXml(entry.element),
  };
}
