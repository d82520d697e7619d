/** SOAP bodies of TD2.1 and TD2.1b (ITI-41), TD3.1b (ITI-18) and TD3.3c (ITI-57 as the DMP has it). */
import { element, type Xml } from '../../common/signature/xml-writer.ts';
import type { Uid } from '../domain.ts';
import { entryUuidOf } from './entry-uuid.ts';
import { kosObject } from './kos-object.ts';
import { association, countingIds, slot } from './registry-objects.ts';
import { signatureObject } from './signature-object.ts';
import type { Removal, Submission } from './submission.ts';
import { SUBMISSION_SET, submissionSetObject } from './submission-set-object.ts';
import { associations, GET_DOCUMENTS, ns, statuses } from './vocabulary.ts';

const SIGNATURE = 'Signature01';

/** Content-IDs of the two documents, referenced from the body. */
export const contentIds = { kos: '1', signature: '2' } as const;

/** ProvideAndRegisterDocumentSetRequest (ci-sis §5.1, §5.6); with RPLC when the submission replaces an entry. */
export function publicationBody(submission: Submission, signature: Uint8Array): Xml {
  const nextId = countingIds();
  const kos = entryUuidOf(submission.entry.uniqueId);
  const original = slot('SubmissionSetStatus', ['Original']);
  const { replaces } = submission;
  return element(
    'xdsb:ProvideAndRegisterDocumentSetRequest',
    { 'xmlns:xdsb': ns.xdsb, 'xmlns:lcm': ns.lcm, 'xmlns:rim': ns.rim },
    element(
      'lcm:SubmitObjectsRequest',
      {},
      element(
        'rim:RegistryObjectList',
        {},
        kosObject(kos, submission.entry, submission.kos, nextId),
        signatureObject(SIGNATURE, submission, signature, nextId),
        submissionSetObject(submission, submission.entry.patient, nextId),
        association(nextId, associations.hasMember, SUBMISSION_SET, kos, [original]),
        association(nextId, associations.hasMember, SUBMISSION_SET, SIGNATURE, [original]),
        association(nextId, associations.signs, SIGNATURE, SUBMISSION_SET, [original]),
        replaces === undefined ? undefined : association(nextId, associations.replaces, kos, replaces),
      ),
    ),
    document(kos, contentIds.kos),
    document(SIGNATURE, contentIds.signature),
  );
}

function document(id: string, contentId: string): Xml {
  return element('xdsb:Document', { id }, element('xop:Include', { 'xmlns:xop': ns.xop, href: `cid:${contentId}` }));
}

/** GetDocuments by uniqueId, ObjectRef: the entryUUID and nothing else (ci-sis §6.5). */
export function searchBody(uniqueId: Uid): Xml {
  return element(
    'query:AdhocQueryRequest',
    { 'xmlns:query': ns.query, 'xmlns:rim': ns.rim },
    element('query:ResponseOption', { returnComposedObjects: 'true', returnType: 'ObjectRef' }),
    element('rim:AdhocQuery', { id: GET_DOCUMENTS }, slot('$XDSDocumentEntryUniqueId', [`('${uniqueId}')`])),
  );
}

/** A submission set whose only member says: this entry is deleted (ci-sis §6.7). */
export function removalBody(removal: Removal): Xml {
  const nextId = countingIds();
  return element(
    'lcm:SubmitObjectsRequest',
    { 'xmlns:lcm': ns.lcm, 'xmlns:rim': ns.rim },
    element(
      'rim:RegistryObjectList',
      {},
      submissionSetObject(removal, removal.patient, nextId),
      association(nextId, associations.updateAvailabilityStatus, SUBMISSION_SET, removal.entryUuid, [
        slot('OriginalStatus', [statuses.approved]),
        slot('NewStatus', [statuses.deleted]),
      ]),
    ),
  );
}
