/** Who wrote, who answers for and who received the care: the persons and organisations of the CDA header (ci-sis §3.2). */
import type { Code, Organization } from '../../domain.ts';
import type { CdaNode } from './cda-xml.ts';

/** Professional as written: any part may be missing, readReport decides what that means. */
export interface CdaProfessional {
  readonly id: string;
  readonly family: string;
  readonly given: string;
  readonly specialty?: Code;
  readonly role?: string;
  readonly organization: Organization;
}

/** Patient as written: empty strings where the CDA is silent. */
export interface CdaPatient {
  readonly ins: readonly { readonly matricule: string; readonly oid: string }[];
  readonly birthFamily: string;
  readonly firstBirthGiven: string;
  readonly birthGivenList: string;
  readonly usedFamily: string;
  readonly usedGiven: string;
  readonly sex: string;
  readonly birthDate: string;
  readonly birthPlace: string;
}

/** PS_IdNat and Struct_IdNat (ci-sis §0.1). */
const PERSONS = '1.2.250.1.71.4.2.1';
const STRUCTURES = '1.2.250.1.71.4.2.2';

export function readPatient(document: CdaNode, insOids: readonly string[]): CdaPatient {
  const role = 'h:recordTarget/h:patientRole';
  const name = `${role}/h:patient/h:name`;
  const identifiers = document.nodes(`${role}/h:id`);
  return {
    ins: identifiers
      .map((id) => ({ matricule: id.text('@extension'), oid: id.text('@root') }))
      .filter(({ oid }) => insOids.includes(oid)),
    birthFamily: firstOf(document, [
      `${name}/h:family[@qualifier='BR']`,
      `${name}/h:family[@qualifier='SP']`,
      `${name}/h:family[not(@qualifier)]`,
    ]),
    firstBirthGiven: document.text(`${name}/h:given[@qualifier='BR']`),
    birthGivenList: document.texts(`${name}/h:given[not(@qualifier)]`).join(' ').replaceAll(/\s+/g, ' '),
    usedFamily: document.text(`${name}/h:family[@qualifier='CL']`),
    usedGiven: document.text(`${name}/h:given[@qualifier='CL']`),
    sex: document.text(`${role}/h:patient/h:administrativeGenderCode/@code`),
    birthDate: document.text(`${role}/h:patient/h:birthTime/@value`),
    birthPlace: document.text(`${role}/h:patient/h:birthplace/h:place/h:addr/h:county`),
  };
}

export function readAuthor(document: CdaNode): CdaProfessional {
  return professional(document, 'h:author[1]', 'h:assignedAuthor');
}

export function readLegalAuthenticator(document: CdaNode): CdaProfessional {
  return professional(document, 'h:legalAuthenticator[1]', 'h:assignedEntity');
}

function professional(document: CdaNode, participation: string, entity: string): CdaProfessional {
  const path = `${participation}/${entity}`;
  const name = `${path}/h:assignedPerson/h:name`;
  const specialty = readCode(document, `${path}/h:code`);
  const role = document.text(`${participation}/h:functionCode/@displayName`);
  return {
    id: document.text(`${path}/h:id[@root='${PERSONS}']/@extension`),
    family: document.text(`${name}/h:family`),
    given: document.text(`${name}/h:given`),
    ...(specialty === undefined ? {} : { specialty }),
    ...(role === '' ? {} : { role }),
    organization: readOrganization(document, `${path}/h:representedOrganization`),
  };
}

export function readOrganization(document: CdaNode, path: string): Organization {
  return {
    id: document.text(`${path}/h:id[@root='${STRUCTURES}']/@extension`),
    name: document.text(`${path}/h:name`).replaceAll(/\s+/g, ' '),
  };
}

/** @returns undefined when the element or its code is absent. */
export function readCode(node: CdaNode, path: string): Code | undefined {
  const code = node.text(`${path}/@code`);
  if (code === '') return undefined;
  return { code, system: node.text(`${path}/@codeSystem`), label: node.text(`${path}/@displayName`) };
}

function firstOf(document: CdaNode, paths: readonly string[]): string {
  for (const path of paths) {
    const value = document.text(path);
    if (value !== '') return value;
  }
  return '';
}
