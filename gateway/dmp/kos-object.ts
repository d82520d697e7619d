/** ExtrinsicObject of a KOS (ci-sis §5.2, §5.3, §5.5). */
import { createHash } from 'node:crypto';
import { element, type Xml } from '../../common/signature/xml-writer.ts';
import type { Code, Professional, Visibility } from '../domain.ts';
import { ce, insCx, localCx, patientInfo, referenceId, xcn, xon } from './hl7-values.ts';
import { author, classification, externalIdentifier, localized, type NextId, slot } from './registry-objects.ts';
import type { KosEntry } from './submission.ts';
import { entrySchemes, kosCodes, objectTypes, visibilityCodes } from './vocabulary.ts';

export function kosObject(id: string, entry: KosEntry, kos: Uint8Array, nextId: NextId): Xml {
  const classify = (scheme: string, code: Code): Xml => classification(nextId, id, scheme, code);
  return element(
    'rim:ExtrinsicObject',
    { id, mimeType: 'application/dicom', objectType: objectTypes.stableDocument },
    slot('creationTime', [entry.creationTime]),
    slot('languageCode', [entry.languageCode]),
    slot('legalAuthenticator', [xcn(entry.legalAuthenticator)]),
    slot('serviceStartTime', optional(entry.serviceStartTime)),
    slot('serviceStopTime', optional(entry.serviceStopTime)),
    slot('sourcePatientId', [localCx(entry.localPatientId, entry.patient)]),
    slot('sourcePatientInfo', patientInfo(entry.patient)),
    hashAndSize(kos),
    slot('urn:ihe:iti:xds:2013:referenceIdList', referenceIds(entry)),
    localized('rim:Name', "Reference d'Objets d'un Examen d'Imagerie"),
    localized('rim:Description', 'KOS'),
    author(nextId, id, entrySchemes.author, authorSlots(entry.author)),
    classify(entrySchemes.classCode, kosCodes.classCode),
    classify(entrySchemes.typeCode, kosCodes.typeCode),
    classify(entrySchemes.formatCode, kosCodes.formatCode),
    confidentialityCodes(entry.confidentiality, entry.visibility).map((code) =>
      classify(entrySchemes.confidentialityCode, code),
    ),
    classify(entrySchemes.healthcareFacilityTypeCode, entry.healthcareFacilityType),
    classify(entrySchemes.practiceSettingCode, entry.practiceSetting),
    entry.eventCodes.map((code) => classify(entrySchemes.eventCodeList, code)),
    externalIdentifier(nextId, id, entrySchemes.patientId, 'XDSDocumentEntry.patientId', insCx(entry.patient)),
    externalIdentifier(nextId, id, entrySchemes.uniqueId, 'XDSDocumentEntry.uniqueId', entry.uniqueId),
  );
}

/** The DMP compares them with the bytes when they are there; SHA-1 is the hash of XDS (ci-sis §16 row 34). */
export function hashAndSize(bytes: Uint8Array): readonly (Xml | undefined)[] {
  return [slot('hash', [createHash('sha1').update(bytes).digest('hex')]), slot('size', [String(bytes.byteLength)])];
}

export function authorSlots(professional: Professional): readonly (Xml | undefined)[] {
  const { organization, role, specialty } = professional;
  return [
    slot('authorInstitution', [xon(organization)]),
    slot('authorPerson', [xcn(professional)]),
    slot('authorRole', optional(role)),
    slot('authorSpecialty', specialty === undefined ? [] : [ce(specialty)]),
  ];
}

/** Confidentiality first, then what the patient's consent adds (ci-sis §5.5). */
export function confidentialityCodes(confidentiality: Code, visibility: Visibility): readonly Code[] {
  return [
    confidentiality,
    ...(visibility.maskedFromProfessionals ? [visibilityCodes.maskedFromProfessionals] : []),
    ...(visibility.invisibleToPatient ? [visibilityCodes.invisibleToPatient] : []),
    ...(visibility.invisibleToLegalRepresentatives ? [visibilityCodes.invisibleToLegalRepresentatives] : []),
  ];
}

function referenceIds(entry: KosEntry): readonly string[] {
  return [
    ...entry.accessionNumbers.map((id) => referenceId(id, 'urn:ihe:iti:xds:2013:accession')),
    ...entry.placerOrderNumbers.map((id) => referenceId(id, 'urn:ihe:iti:xds:2013:order')),
    referenceId({ value: entry.studyInstanceUid, authority: '' }, 'urn:ihe:iti:xds:2016:studyInstanceUID'),
  ];
}

function optional(value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : [value];
}
