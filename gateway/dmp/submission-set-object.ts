/** RegistryPackage of a submission set (ci-sis §5.4): its author is the user and the structure of the VIHF. */
import { element, type Xml } from '../../common/signature/xml-writer.ts';
import type { InsIdentity } from '../domain.ts';
import { insCx } from './hl7-values.ts';
import { authorSlots } from './kos-object.ts';
import { author, classification, externalIdentifier, type NextId, slot } from './registry-objects.ts';
import type { Submission } from './submission.ts';
import { objectTypes, submissionSetSchemes as schemes } from './vocabulary.ts';

export const SUBMISSION_SET = 'SubmissionSet01';

export function submissionSetObject(
  set: Pick<Submission, 'uniqueId' | 'submissionTime' | 'sourceId' | 'contentType' | 'user'>,
  patient: InsIdentity,
  nextId: NextId,
): readonly Xml[] {
  const identifier = (scheme: string, name: string, value: string): Xml =>
    externalIdentifier(nextId, SUBMISSION_SET, scheme, `XDSSubmissionSet.${name}`, value);
  return [
    element(
      'rim:RegistryPackage',
      { id: SUBMISSION_SET },
      slot('submissionTime', [set.submissionTime]),
      author(nextId, SUBMISSION_SET, schemes.author, authorSlots(set.user.professional)),
      classification(nextId, SUBMISSION_SET, schemes.contentTypeCode, set.contentType),
      identifier(schemes.patientId, 'patientId', insCx(patient)),
      identifier(schemes.sourceId, 'sourceId', set.sourceId),
      identifier(schemes.uniqueId, 'uniqueId', set.uniqueId),
    ),
    element('rim:Classification', {
      id: nextId('cla'),
      classificationNode: objectTypes.submissionSet,
      classifiedObject: SUBMISSION_SET,
    }),
  ];
}
