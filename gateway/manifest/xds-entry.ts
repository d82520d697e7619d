/** DocumentEntry and content type of the submission of a KOS, as plain data (ci-sis §5.2–5.4). */
import type { KosEntry } from '../dmp/submission.ts';
import type { Code, Identifier, InsIdentity, Professional, Visibility } from '../domain.ts';
import type { ManifestStudy } from './build.ts';
import type { Kos, KosRequest } from './kos.ts';
import { timestampToUtc } from './local-time.ts';

/** What the entry needs of a report; a report as received fits. */
export interface EntryReport {
  readonly patient: InsIdentity;
  readonly localPatientId: Identifier;
  readonly author: Professional;
  readonly legalAuthenticator: Professional;
  readonly document: { readonly confidentiality: Code; readonly language: string };
  readonly visibility: Visibility;
  readonly healthcareFacilityType?: Code;
  readonly patientClass: string;
}

/** What it needs of the study; a study as reported fits. */
export interface EntryStudy extends ManifestStudy {
  readonly start?: string;
  readonly stop?: string;
  readonly practiceSetting?: Code;
}

export interface EntryInput {
  readonly report: EntryReport;
  readonly study: EntryStudy;
  readonly kos: Kos;
  /** Of the site: HL7 times without offset are in it (ci-sis §16 row 19). */
  readonly timeZone: string;
  /** For a CDA that names none (its encounter is optional); a site has one of its own. */
  readonly defaultFacilityType?: Code;
}

const DCM = '1.2.840.10008.2.16.4';
const CCAM = ['1.2.250.1.213.2.5', '1.2.250.1.215.300.1'];
const CCAM_EMITTED = '1.2.250.1.213.2.5';
/** The CR model of the DMP is ambulatory unless said otherwise; CDA without either code is rare (ci-sis §3.2, appendix A). */
const AMBULATORY: Code = { code: 'AMBULATOIRE', system: '1.2.250.1.213.1.1.4.9', label: 'Ambulatoire' };
const GROUP_PRACTICE: Code = { code: 'SA08', system: '1.2.250.1.71.4.2.4', label: 'Cabinet de groupe' };

export function kosEntry({ report, study, kos, timeZone, defaultFacilityType }: EntryInput): KosEntry {
  const start = study.start === undefined ? undefined : timestampToUtc(study.start, timeZone);
  const stop = study.stop === undefined ? undefined : timestampToUtc(study.stop, timeZone);
  const created = `${kos.createdDate}${kos.createdTime}${kos.timezoneOffset}`;
  return {
    uniqueId: kos.sopInstanceUid,
    creationTime: timestampToUtc(created, timeZone) ?? fail(`KOS creation time ${created}`),
    ...(start === undefined ? {} : { serviceStartTime: start }),
    ...(stop === undefined ? {} : { serviceStopTime: stop }),
    languageCode: report.document.language,
    patient: report.patient,
    localPatientId: report.localPatientId,
    author: report.author,
    legalAuthenticator: report.legalAuthenticator,
    confidentiality: report.document.confidentiality,
    visibility: report.visibility,
    healthcareFacilityType: report.healthcareFacilityType ?? defaultFacilityType ?? GROUP_PRACTICE,
    practiceSetting: study.practiceSetting ?? AMBULATORY,
    eventCodes: eventCodes(study, kos),
    accessionNumbers: unique(kos.requests, ({ accessionNumber }) => accessionNumber),
    placerOrderNumbers: unique(kos.requests, ({ placerOrderNumber }) => placerOrderNumber),
    studyInstanceUid: kos.studyInstanceUid,
  };
}

/** Modalities of the PACS and of the report without KO, regions, CCAM acts; each once (DB0 §4.5.6, ci-sis §5.3). */
export function eventCodes(study: ManifestStudy, kos: Kos): readonly Code[] {
  const labels = new Map(study.modalities.map(({ code, label }) => [code, label] as const));
  const modalities = new Set([
    ...study.modalities.map(({ code }) => code),
    ...kos.series.map(({ modality }) => modality),
  ]);
  const acts = study.acts.filter(({ system }) => CCAM.includes(system));
  const codes = [
    ...[...modalities]
      .filter((code) => code !== 'KO' && code !== '')
      .map((code) => ({ code, system: DCM, label: labels.get(code) ?? code })),
    ...study.regions,
    ...acts.map((act) => ({ ...act, system: CCAM_EMITTED })),
  ];
  return [...new Map(codes.map((code) => [`${code.system}|${code.code}`, code] as const)).values()];
}

const CONTENT_TYPES: Readonly<Record<string, readonly [string, string]>> = {
  I: ['03', 'Hospitalisation complète'],
  O: ['07', 'Consultation'],
  R: ['19', 'Traitements et cures ambulatoires'],
  N: ['97', 'Sans objet'],
  E: ['07', 'Consultation'],
};

/** contentTypeCode of the submission set from PV1-2 (ci-sis §5.4); a message without PV1 counts as ambulatory: 07. */
export function contentType(patientClass: string): Code {
  const [code, label] = CONTENT_TYPES[patientClass] ?? ['07', 'Consultation'];
  return { code, system: '1.2.250.1.213.2.2', label };
}

function unique(requests: readonly KosRequest[], pick: (request: KosRequest) => Identifier): readonly Identifier[] {
  return [...new Map(requests.map((one) => [JSON.stringify(pick(one)), pick(one)] as const)).values()];
}

function fail(what: string): never {
  throw new RangeError(`${what} is not a time`);
}
