/** An inspection as text for a terminal: a label, a colon, a value; nothing the sender wrote can move the cursor. */
import type { Identifier } from '../../domain.ts';
import type { Inspection } from './inspect.ts';
import type { ReportFault, ReportReceived } from './report.ts';

export function renderInspection(inspection: Inspection): string {
  const { message, report, decision } = inspection;
  const lines = [
    `result      ${inspection.kind}, acknowledged ${inspection.acknowledgement}`,
    `decision    ${decision.what}`,
    `because     ${decision.why}`,
    ...(message === undefined
      ? ['message     unreadable']
      : [
          `message     ${message.type}^${message.event} ${message.version}, id ${message.controlId}, ${message.characterSet || 'no character set named'}`,
          `from        ${message.sendingApplication} / ${message.sendingFacility}`,
          `to          ${message.receivingApplication} / ${message.receivingFacility}`,
        ]),
    ...patientLines(report),
    ...documentLines(report),
    ...(report.orders ?? []).map(
      ({ accessionNumber, placerOrderNumber }) =>
        `order       accession ${identifier(accessionNumber)}, placer ${identifier(placerOrderNumber)}`,
    ),
    ...studyLines(report),
    ...inspection.changedStudies.map((study) => `changed     study ${study}`),
    ...inspection.faults.map((fault) => faultLine('fault', fault)),
    ...inspection.warnings.map((fault) => faultLine('warning', fault)),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function patientLines({ patient, localPatientId, insQualified }: Partial<ReportReceived>): readonly string[] {
  const used = [patient?.usedFamily, patient?.usedGiven].filter((part) => part !== undefined).join(' ');
  return [
    ...(patient === undefined
      ? []
      : [
          `INS         ${patient.matricule} (${patient.oid}), ${insQualified === true ? 'qualified' : 'not qualified'}`,
          `patient     ${patient.birthFamily} ${patient.firstBirthGiven} (${patient.birthGivenList}), ${patient.sex}, born ${patient.birthDate} at ${patient.birthPlace || 'unknown'}${used === '' ? '' : `, used name ${used}`}`,
        ]),
    ...(localPatientId === undefined ? [] : [`IPP         ${identifier(localPatientId)}`]),
  ];
}

function documentLines(report: Partial<ReportReceived>): readonly string[] {
  const { document, visibility, legalAuthenticator, author } = report;
  const hidden = [
    visibility?.maskedFromProfessionals === true && 'masked from professionals',
    visibility?.invisibleToPatient === true && 'invisible to the patient',
    visibility?.invisibleToLegalRepresentatives === true && 'invisible to legal representatives',
  ].filter((part) => part !== false);
  return [
    ...(document === undefined
      ? []
      : [
          `document    ${identifier(document.id)}, ${document.level}, version ${document.version}, set ${document.setId || 'none'}`,
          ...document.otherIds.map((id) => `also        ${identifier(id)}`),
          ...(document.replaces === undefined ? [] : [`replaces    ${identifier(document.replaces)}`]),
        ]),
    ...(visibility === undefined ? [] : [`visibility  ${hidden.length === 0 ? 'normal' : hidden.join(', ')}`]),
    ...(author === undefined ? [] : [`author      ${author.family} ${author.given}, ${author.organization.name}`]),
    ...(legalAuthenticator === undefined
      ? []
      : [
          `answers     ${legalAuthenticator.family} ${legalAuthenticator.given} (${legalAuthenticator.id}), structure ${legalAuthenticator.organization.id}`,
        ]),
  ];
}

function studyLines({ studies, orders }: Partial<ReportReceived>): readonly string[] {
  const numbers = (orders ?? []).map(({ accessionNumber }) => accessionNumber.value).join(', ') || 'none';
  return (studies ?? []).map(({ studyInstanceUid, modalities, regions, acts }) => {
    const list = (codes: readonly { readonly label: string; readonly code: string }[]): string =>
      codes.map(({ label, code }) => label || code).join(', ') || 'none';
    return `study       ${studyInstanceUid}: accession ${numbers}; ${list(modalities)}; ${list(regions)}; ${list(acts)}`;
  });
}

function faultLine(kind: string, { code, field, rule, advice, source }: ReportFault): string {
  return `${kind.padEnd(11)} ${code} ${field}: ${rule}; ${advice} (${source})`;
}

function identifier({ value, authority }: Identifier): string {
  return authority === '' ? value : `${value} (${authority})`;
}

function printable(line: string): string {
  return line.replaceAll(/\p{Cc}/gu, ' ');
}
