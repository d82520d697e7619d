/** The report put together from the message and the CDA header; partial when a datum is missing, with what is there. */
import { type InsIdentity, type Organization, type Professional, parseUid } from '../../domain.ts';
import { pairOrders } from './cda-exams.ts';
import type { CdaHeader } from './cda-header.ts';
import type { CdaPatient, CdaProfessional } from './cda-people.ts';
import { parentDocument, readMetadata, senderOrganization } from './message-content.ts';
import type { Hl7Message } from './message.ts';
import type { MessageHeader, ReportAction, ReportFault, ReportReceived } from './report.ts';
import type { Evidence } from './required.ts';

const EVENT = '/ClinicalDocument/documentationOf/serviceEvent';

export interface Parts extends Evidence {
  readonly message: Hl7Message;
  readonly header: MessageHeader;
  /** Further documents of the same ORU. */
  readonly others: readonly CdaHeader[];
  readonly action: ReportAction;
}

/** @returns `report` only when nothing is missing; `partial` always, for the journal and the inspection. */
export function assembleReport(parts: Parts): { report: ReportReceived | undefined; partial: Partial<ReportReceived> } {
  const { cda, patient: fromMessage, practice } = parts;
  const metadata = readMetadata(parts.message);
  const document = documentOf(parts);
  const patient = insIdentity(cda.patient);
  const localPatientId = fromMessage.localPatientId;
  const legalAuthenticator = practice && { ...cda.legalAuthenticator, organization: practice };
  const always = {
    message: parts.header,
    action: parts.action,
    publishToDmp: metadata.publishToDmp,
    visibilityChange: metadata.visibilityChange,
    secretConnection: metadata.secretConnection,
    visibility: metadata.visibility,
    insQualified: fromMessage.insQualified,
    patientClass: fromMessage.patientClass,
    orders: pairOrders(cda.orders),
    studies: cda.studies.flatMap(({ uid, ...study }) => {
      const studyInstanceUid = parseUid(uid);
      return studyInstanceUid === undefined ? [] : [{ studyInstanceUid, ...study }];
    }),
    ...(cda.healthcareFacilityType === undefined ? {} : { healthcareFacilityType: cda.healthcareFacilityType }),
  };
  if (document && patient && localPatientId && legalAuthenticator) {
    const author = authorOf(cda.author, legalAuthenticator);
    const report = { ...always, document, patient, localPatientId, legalAuthenticator, author };
    return { report, partial: report };
  }
  const partial = {
    ...always,
    ...(document && { document }),
    ...(patient && { patient }),
    ...(localPatientId && { localPatientId }),
    ...(legalAuthenticator && { legalAuthenticator }),
  };
  return { report: undefined, partial };
}

/** Structure of the legal authenticator first, the sender's (PRT) only when the CDA has none (ci-sis §2.5). */
export function practiceOf(cda: CdaHeader, message: Hl7Message): Organization | undefined {
  const { organization } = cda.legalAuthenticator;
  return organization.id === '' ? senderOrganization(message) : organization;
}

function documentOf({ cda, others, message, action }: Parts): ReportReceived['document'] | undefined {
  if (cda.id === undefined) return undefined;
  // In a deletion TXA-13 may name the predecessor of what is deleted (ci-sis §2.2).
  const replaces = cda.replaces ?? (action === 'deletion' ? undefined : parentDocument(message));
  return {
    id: cda.id,
    otherIds: others.flatMap(({ id }) => id ?? []),
    setId: cda.setId,
    version: cda.version,
    ...(replaces && { replaces }),
    creationTime: cda.creationTime,
    title: cda.title,
    confidentiality: cda.confidentiality ?? { code: 'N', system: '2.16.840.1.113883.5.25', label: 'Normal' },
    language: cda.language === '' ? 'fr-FR' : cda.language,
    level: cda.level,
  };
}

function insIdentity(patient: CdaPatient): InsIdentity | undefined {
  const [ins] = patient.ins;
  if (ins === undefined || patient.birthFamily === '' || patient.firstBirthGiven === '') return undefined;
  return {
    ...ins,
    birthFamily: patient.birthFamily,
    firstBirthGiven: patient.firstBirthGiven,
    birthGivenList: patient.birthGivenList === '' ? patient.firstBirthGiven : patient.birthGivenList,
    ...(patient.usedFamily !== '' && { usedFamily: patient.usedFamily }),
    ...(patient.usedGiven !== '' && { usedGiven: patient.usedGiven }),
    sex: patient.sex === 'M' || patient.sex === 'F' ? patient.sex : 'O',
    birthDate: patient.birthDate.slice(0, 8),
    birthPlace: patient.birthPlace,
  };
}

/** The author may be a device or be absent: then the one who answers for the document stands for him (warned). */
function authorOf(author: CdaProfessional, legalAuthenticator: Professional): Professional {
  if (author.id === '') return legalAuthenticator;
  return author.organization.id === '' ? { ...author, organization: legalAuthenticator.organization } : author;
}

/** What we completed or noticed, none of which stops the publication. */
export function warningsOf({ cda, practice }: Evidence, message: Hl7Message): readonly ReportFault[] {
  const { missing } = readMetadata(message);
  const author = cda.author;
  const found: readonly (readonly [boolean, string, string, string])[] = [
    [
      cda.author.id === '',
      '/ClinicalDocument/author',
      'no author with a national id',
      'the legal authenticator is taken',
    ],
    [
      author.id !== '' && author.organization.id === '',
      '/ClinicalDocument/author/assignedAuthor/representedOrganization/id',
      'the author has no structure',
      'that of the legal authenticator is taken',
    ],
    [
      cda.legalAuthenticator.organization.id === '',
      'PRT-8',
      'the CDA names no structure for the legal authenticator',
      `${practice?.id ?? 'that'} of the sender is taken`,
    ],
    [
      cda.patient.birthGivenList === '',
      '/ClinicalDocument/recordTarget/patientRole/patient/name/given[not(@qualifier)]',
      'the list of birth given names is missing',
      'the first one is taken',
    ],
    [
      cda.confidentiality === undefined,
      '/ClinicalDocument/confidentialityCode/@code',
      'the confidentiality is missing',
      'N is taken',
    ],
    [
      cda.healthcareFacilityType === undefined,
      '/ClinicalDocument/componentOf/encompassingEncounter/location/healthCareFacility/code',
      'the type of healthcare facility is missing',
      'SA08 (cabinet de groupe) is taken',
    ],
    [
      cda.studies.some(({ practiceSetting }) => practiceSetting === undefined),
      `${EVENT}/performer/assignedEntity/representedOrganization/standardIndustryClassCode`,
      'a study has no practice setting',
      'AMBULATOIRE is taken',
    ],
    [
      missing.length > 0,
      'OBX-3',
      `metadata missing: ${missing.join(', ')}`,
      missing.includes('DESTDMP') ? 'nothing is published without DESTDMP' : 'N is taken',
    ],
    ...cda.studies.map(
      ({ uid, modalities, regions }) =>
        [
          modalities.length === 0 || regions.length === 0,
          `${EVENT}[id/@root='${uid}']/code/translation`,
          'this study has no modality or no region of its own',
          'give each study both',
        ] as const,
    ),
  ];
  return found
    .filter(([holds]) => holds)
    .map(([, field, rule, advice]) => ({ code: 'warning', field, rule, advice, source: 'ci-sis §2.6, §3.2' }));
}
