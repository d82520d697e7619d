/** ExtrinsicObject of the signature of the submission set (ci-sis §5.7). */
import { element, type Xml } from '../../common/signature/xml-writer.ts';
import type { Code } from '../domain.ts';
import { insCx, patientInfo, xcn } from './hl7-values.ts';
import { authorSlots, hashAndSize } from './kos-object.ts';
import { author, classification, externalIdentifier, localized, type NextId, slot } from './registry-objects.ts';
import type { Submission } from './submission.ts';
import { entrySchemes, normalConfidentiality, objectTypes, signatureCodes, visibilityCodes } from './vocabulary.ts';

export function signatureObject(id: string, submission: Submission, signature: Uint8Array, nextId: NextId): Xml {
  const { entry } = submission;
  const classify = (scheme: string, code: Code): Xml => classification(nextId, id, scheme, code);
  const hidden = [normalConfidentiality, visibilityCodes.maskedFromProfessionals, visibilityCodes.invisibleToPatient];
  return element(
    'rim:ExtrinsicObject',
    { id, mimeType: 'text/xml', objectType: objectTypes.stableDocument },
    slot('creationTime', [submission.submissionTime]),
    slot('languageCode', ['art']),
    slot('legalAuthenticator', [xcn(entry.legalAuthenticator)]),
    slot('sourcePatientId', [insCx(entry.patient)]),
    slot('sourcePatientInfo', patientInfo(entry.patient)),
    hashAndSize(signature),
    localized('rim:Name', 'Source'),
    author(nextId, id, entrySchemes.author, authorSlots(entry.author)),
    classify(entrySchemes.classCode, signatureCodes.classCode),
    classify(entrySchemes.typeCode, signatureCodes.typeCode),
    classify(entrySchemes.formatCode, signatureCodes.formatCode),
    hidden.map((code) => classify(entrySchemes.confidentialityCode, code)),
    classify(entrySchemes.healthcareFacilityTypeCode, entry.healthcareFacilityType),
    classify(entrySchemes.practiceSettingCode, entry.practiceSetting),
    classify(entrySchemes.eventCodeList, signatureCodes.eventCode),
    externalIdentifier(nextId, id, entrySchemes.patientId, 'XDSDocumentEntry.patientId', insCx(entry.patient)),
    externalIdentifier(nextId, id, entrySchemes.uniqueId, 'XDSDocumentEntry.uniqueId', submission.signatureId),
  );
}
