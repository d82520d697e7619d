/**
 * Whether a study may be published: a chain of pure checks, each giving the reason it stops at (style: cert-manager's policies).
 * The first that objects decides; the same reason goes to the journal, the job and `report inspect`.
 */
import type { PacsConfig } from '../../../common/contract/gateway-config.ts';
import type { FoundStudy } from '../../dicom/pacs.ts';
import { sharedInstances } from '../../manifest/build.ts';
import type { ErrorCode } from '../../journal/error-codes.ts';
import type { ReportReceived } from '../report/report.ts';

export interface Objection {
  readonly outcome: 'declined' | 'failed';
  readonly code?: ErrorCode;
  readonly reason: string;
  readonly detail: string;
}

type ReportPolicy = (report: ReportReceived) => Objection | undefined;

/** Known before the PACS is asked. */
const reportPolicies: readonly ReportPolicy[] = [
  // EX: DESTDMP=N stops here, still acknowledged and audited (DB0 §4.5.2)
  (report) =>
    report.publishToDmp === false
      ? { outcome: 'declined', reason: 'DestinationExcluded', detail: 'DESTDMP is N: the RIS asks not to publish' }
      : undefined,
  (report) =>
    report.publishToDmp === undefined
      ? {
          outcome: 'failed',
          code: 'E005',
          reason: 'DestinationMissing',
          detail: 'OBX DESTDMP is absent: the guide requires Y or N; have the RIS send it',
        }
      : undefined,
  // DB.SO.11: a qualified INS triggers publication
  (report) =>
    report.insQualified
      ? undefined
      : {
          outcome: 'failed',
          code: 'E005',
          reason: 'InsNotQualified',
          detail: 'PID-32 is not VALI: the INS is not qualified; qualify the identity in the RIS and send again',
        },
];

export function objectionToReport(report: ReportReceived): Objection | undefined {
  return reportPolicies.map((policy) => policy(report)).find((objection) => objection !== undefined);
}

/** What the PACS says of the patient against the report: INS, else local id (DB.SO.16), birth date (DB.SO.191). */
export function objectionToStudy(
  report: ReportReceived,
  found: FoundStudy,
  pacs: Pick<PacsConfig, 'patientChecks' | 'excludedSopInstanceRoots'>,
): Objection | undefined {
  if (sharedInstances(found, pacs.excludedSopInstanceRoots).length === 0) {
    return {
      outcome: 'failed',
      code: 'E004',
      reason: 'NoInstance',
      detail: 'the PACS knows the study but no instance of it is left after the configured exclusions',
    };
  }
  if (!pacs.patientChecks) return undefined;
  if (found.patientBirthDate !== '' && found.patientBirthDate !== report.patient.birthDate) {
    return {
      outcome: 'failed',
      code: 'E001',
      reason: 'BirthDateDiffers',
      detail: 'PatientBirthDate of the PACS is not the birth date of the CDA (DB.SO.191)',
    };
  }
  return identityDiffers(report, found)
    ? {
        outcome: 'failed',
        code: 'E001',
        reason: 'PatientDiffers',
        detail: 'the PACS holds this study under another INS, or another local patient id (DB.SO.16)',
      }
    : undefined;
}

function identityDiffers(report: ReportReceived, found: FoundStudy): boolean {
  const isIns = (id: { readonly issuer: string; readonly issuerOid: string }): boolean =>
    id.issuer.startsWith('ASIP-SANTE-INS') || id.issuerOid.startsWith('1.2.250.1.213.1.4.');
  const all = [{ id: found.patientId, issuer: found.issuerOfPatientId, issuerOid: '' }, ...found.otherPatientIds];
  const ins = all.filter(isIns);
  if (ins.length > 0) return !ins.some(({ id }) => id === report.patient.matricule);
  if (found.patientId === '') return false;
  return found.patientId !== report.localPatientId.value && found.patientId !== report.patient.matricule;
}
