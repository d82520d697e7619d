/** DB0 Table 1: the data without which there is no KOS (E005), each as one row; what a row misses is said to the RIS's people. */
import { parseUid } from '../../domain.ts';
import type { CdaHeader } from './cda-header.ts';
import { insMatriculeFault } from './ins.ts';
import type { MessagePatient } from './message-content.ts';
import type { Organization } from '../../domain.ts';
import type { ReportFault } from './report.ts';

export interface Evidence {
  readonly cda: CdaHeader;
  readonly patient: MessagePatient;
  /** Organisation of the legal authenticator, or of PRT when the CDA has none. */
  readonly practice: Organization | undefined;
}

interface Requirement {
  readonly field: string;
  readonly rule: string;
  readonly advice: string;
  readonly source: string;
  /** What is wrong beyond `rule`, `missing` when the datum is not there, or undefined when it is right. */
  readonly fault: (evidence: Evidence) => string | undefined;
}

const ROLE = '/ClinicalDocument/recordTarget/patientRole';
const EVENT = '/ClinicalDocument/documentationOf/serviceEvent';
const ORDER = '/ClinicalDocument/inFulfillmentOf/order';
const TABLE_1 = 'DB0 Table 1';
const TRAITS = 'ci-sis §3.2, §4.3';

const REQUIREMENTS: readonly Requirement[] = [
  {
    field: `${EVENT}/id/@root`,
    rule: 'at least one StudyInstanceUID',
    advice: 'give each exam its DICOM StudyInstanceUID in serviceEvent/id/@root',
    source: TABLE_1,
    fault: ({ cda }) => missing(cda.studies),
  },
  {
    field: `${EVENT}/id/@root`,
    rule: 'a StudyInstanceUID is a DICOM UID',
    advice: 'send the UID of the images, digits and dots, at most 64 characters',
    source: 'DICOM PS3.5 §9.1',
    fault: ({ cda }) => {
      const wrong = cda.studies.find(({ uid }) => parseUid(uid) === undefined);
      return wrong === undefined ? undefined : `"${wrong.uid.slice(0, 80)}" is not one`;
    },
  },
  {
    field: `${ORDER}/ps3-20:accessionNumber`,
    rule: 'at least one accession number with its issuer (@extension and @root)',
    advice: 'give the accession number in @extension and the OID of its issuer in @root',
    source: TABLE_1,
    fault: ({ cda }) => missing(cda.orders.flatMap(({ accessions }) => accessions)),
  },
  {
    field: `${ORDER}/id`,
    rule: 'an order placer number with its issuer (@extension and @root) for each accession number',
    advice: 'give the order placer number; nullFlavor is not enough for a DRIMbox',
    source: `${TABLE_1}, ci-sis §16 row 12`,
    fault: ({ cda }) =>
      cda.orders.some(({ accessions, placers }) => accessions.length > 0 && placers.length === 0) ||
      cda.orders.every(({ placers }) => placers.length === 0)
        ? 'missing'
        : undefined,
  },
  {
    field: `${ROLE}/id`,
    rule: 'the INS under an INS OID (1.2.250.1.213.1.4.8 to .11)',
    advice: 'qualify the identity and send the INS in @extension',
    source: TABLE_1,
    fault: ({ cda }) => missing(cda.patient.ins),
  },
  {
    field: `${ROLE}/id/@extension`,
    rule: 'the INS has a valid key',
    advice: 'check the INS matricule at its source',
    source: 'ci-sis §3.1, §16 row 52',
    fault: ({ cda }) =>
      cda.patient.ins[0] === undefined ? undefined : insMatriculeFault(cda.patient.ins[0].matricule),
  },
  {
    field: 'PID-3',
    rule: 'the INS of PID-3 is the INS of the CDA',
    advice: 'the message and its document must speak of the same patient',
    source: 'ci-sis §2.4',
    fault: ({ cda, patient }) =>
      patient.ins !== undefined && cda.patient.ins.length > 0 && cda.patient.ins[0]?.matricule !== patient.ins.value
        ? 'they differ'
        : undefined,
  },
  {
    field: `${EVENT}/code/translation[qualifier/name/@code='121139']/@code`,
    rule: 'at least one modality',
    advice: 'translate the act with a code of JDV_ModaliteAcquisition_CISIS, qualified by 121139',
    source: TABLE_1,
    fault: ({ cda }) =>
      cda.studies.length === 0 ? undefined : missing(cda.studies.flatMap(({ modalities }) => modalities)),
  },
  {
    field: `${EVENT}/code/translation[qualifier/name/@code='39111-0']/@code`,
    rule: 'at least one anatomic region',
    advice: 'translate the act with a code of JDV_RegionAnatomique_CISIS, qualified by 39111-0',
    source: `${TABLE_1}, ci-sis §16 row 13`,
    fault: ({ cda }) => (cda.studies.length === 0 ? undefined : missing(cda.studies.flatMap(({ regions }) => regions))),
  },
  {
    field: '/ClinicalDocument/id/@root',
    rule: 'the id of the document',
    advice: 'give the document its OID in id/@root',
    source: TABLE_1,
    fault: ({ cda }) => (cda.id === undefined ? 'missing' : undefined),
  },
  {
    field:
      "/ClinicalDocument/legalAuthenticator/assignedEntity/representedOrganization/id[@root='1.2.250.1.71.4.2.2']/@extension",
    rule: "the situation d'exercice: structure of the legal authenticator",
    advice: 'give the Struct_IdNat of the structure in the CDA, or in PRT-8.10 of the sender',
    source: TABLE_1,
    fault: ({ practice }) => (practice === undefined ? 'missing' : undefined),
  },
  {
    field: 'PID-3',
    rule: 'the local patient id and its authority (CX.5 = PI, CX.4.2 = OID)',
    advice: 'send the IPP with the OID of its authority',
    source: TABLE_1,
    fault: ({ patient }) => (patient.localPatientId === undefined ? 'missing' : undefined),
  },
  {
    field: `${ROLE}/patient/name/family[@qualifier='BR']`,
    rule: 'the birth name',
    advice: 'send the birth name of the INS identity',
    source: TRAITS,
    fault: ({ cda }) => missing(cda.patient.birthFamily),
  },
  {
    field: `${ROLE}/patient/name/given[@qualifier='BR']`,
    rule: 'the first birth given name',
    advice: 'send the first given name of the INS identity',
    source: TRAITS,
    fault: ({ cda }) => missing(cda.patient.firstBirthGiven),
  },
  {
    field: `${ROLE}/patient/administrativeGenderCode/@code`,
    rule: 'the sex',
    advice: 'send M or F (U when unknown)',
    source: TRAITS,
    fault: ({ cda }) => missing(cda.patient.sex),
  },
  {
    field: `${ROLE}/patient/birthTime/@value`,
    rule: 'the birth date, yyyyMMdd',
    advice: 'send the birth date of the INS identity',
    source: TRAITS,
    fault: ({ cda }) => (/^\d{8}/.test(cda.patient.birthDate) ? undefined : 'missing'),
  },
  {
    field: "/ClinicalDocument/legalAuthenticator/assignedEntity/id[@root='1.2.250.1.71.4.2.1']/@extension",
    rule: 'the national id of the legal authenticator',
    advice: 'send the PS_IdNat (8 and the RPPS number)',
    source: 'DB0 §4.5.5, ci-sis §6.4',
    fault: ({ cda }) => missing(cda.legalAuthenticator.id),
  },
];

/** @returns one E005 per datum missing or wrong, in the order of Table 1. */
export function missingData(evidence: Evidence): readonly ReportFault[] {
  return REQUIREMENTS.flatMap(({ fault, field, rule, advice, source }) => {
    const wrong = fault(evidence);
    if (wrong === undefined) return [];
    return [{ code: 'E005', field, rule: wrong === 'missing' ? rule : `${rule}: ${wrong}`, advice, source }];
  });
}

function missing(value: string | readonly unknown[]): 'missing' | undefined {
  return value.length === 0 ? 'missing' : undefined;
}
