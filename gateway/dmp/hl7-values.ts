/** HL7 v2 data types that XDS metadata borrow (ITI TF-3 §4.2.3.1.7): a delimiter inside a value is escaped, never a new component. */
import type { Code, Identifier, InsIdentity, Organization, Professional } from '../domain.ts';
import { oids } from './vocabulary.ts';

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\E\\',
  '|': '\\F\\',
  '^': '\\S\\',
  '&': '\\T\\',
  '~': '\\R\\',
};

/** One component; line ends become a space, HL7 has none inside a value. */
export function component(text: string): string {
  return text.replaceAll(/[\\|^&~]/g, (character) => escapes[character] ?? character).replaceAll(/[\r\n\t]+/g, ' ');
}

/** CX with the INS (ci-sis §5.2 patientId, §6.4 resource-id). */
export function insCx({ matricule, oid }: Pick<InsIdentity, 'matricule' | 'oid'>): string {
  return `${component(matricule)}^^^&${component(oid)}&ISO^NH`;
}

/** CX of the local id, type PI; the INS when there is none or nobody says whose it is (ci-sis §5.2 sourcePatientId). */
export function localCx(id: Identifier, patient: InsIdentity): string {
  return id.value === '' || id.authority === ''
    ? insCx(patient)
    : `${component(id.value)}^^^&${component(id.authority)}&ISO^PI`;
}

/** XCN of a professional. */
export function xcn({ id, family, given }: Professional): string {
  return `${component(id)}^${component(family)}^${component(given)}^^^^^^&${oids.persons}&ISO^D^^^IDNPS`;
}

/** XON of a structure. */
export function xon({ id, name }: Organization): string {
  return `${component(name)}^^^^^&${oids.structures}&ISO^IDNST^^^${component(id)}`;
}

/** CE: authorSpecialty. */
export function ce({ code, system, label }: Code): string {
  return `${component(code)}^${component(label)}^${component(system)}`;
}

/** CXi of a referenceIdList (ITI TF-3 §4.2.3.2.28); the study has no authority (ci-sis §5.3). */
export function referenceId({ value, authority }: Identifier, type: string): string {
  return authority === ''
    ? `${component(value)}^^^^${type}`
    : `${component(value)}^^^&${component(authority)}&ISO^${type}`;
}

/** sourcePatientInfo: the field separator is a real pipe. */
export function patientInfo(patient: InsIdentity): readonly string[] {
  return [
    `PID-5|${component(patient.birthFamily)}^${component(patient.firstBirthGiven)}^^^^^L`,
    `PID-7|${patient.birthDate}`,
    `PID-8|${patient.sex}`,
    ...(patient.birthPlace === '' ? [] : [`PID-11|^^^^^^BDL^^${component(patient.birthPlace)}`]),
  ];
}
