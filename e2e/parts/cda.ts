/** Synthetic CDA R2 reports, level 1 (PDF) and level 3 (structured), on the model IMG-CR-IMG (ci-sis §3). */
import type { InventedPatient } from './patients.ts';

export interface CdaOrderSpec {
  readonly accession: { readonly value: string; readonly authority: string };
  readonly placer: { readonly value: string; readonly authority: string };
}

export interface CdaStudySpec {
  readonly studyInstanceUid: string;
  readonly modality: string;
  readonly region: { readonly code: string; readonly label: string };
  readonly act: { readonly code: string; readonly label: string };
  readonly ccam?: { readonly code: string; readonly label: string };
  /** HL7 TS. */
  readonly start: string;
  readonly stop: string;
}

export interface CdaSpec {
  readonly level: 'N1' | 'N3';
  readonly id: string;
  readonly version: number;
  readonly replaces?: string;
  readonly patient: InventedPatient;
  readonly orders: readonly CdaOrderSpec[];
  readonly studies: readonly CdaStudySpec[];
  readonly structure: { readonly id: string; readonly name: string };
  readonly professional: { readonly id: string; readonly family: string; readonly given: string };
  /** Bytes of text in the body, to make a report heavy. */
  readonly bodyBytes: number;
}

/** Every datum of DB0 Table 1 that stands in the CDA, by the name under which a test removes it. */
export const removableData = [
  'studyInstanceUid',
  'accessionNumber',
  'placerOrderNumber',
  'ins',
  'modality',
  'region',
  'documentId',
  'practice',
  'birthFamily',
  'firstBirthGiven',
  'sex',
  'birthDate',
  'legalAuthenticator',
] as const;
export type RemovableDatum = (typeof removableData)[number];

/** @param without data left out. @returns the document, UTF-8 with its declaration. */
export function cdaDocument(spec: CdaSpec, without: ReadonlySet<RemovableDatum> = new Set()): string {
  const keep = (datum: RemovableDatum, xml: string): string => (without.has(datum) ? '' : xml);
  return `<?xml version="1.0" encoding="utf-8"?>
<?xml-stylesheet type="text/xsl" href="CDA-FO.xsl"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:ps3-20="urn:dicom-org:ps3-20" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="FR"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.2.8.2.1"/>
  <templateId root="1.2.250.1.213.1.1.1.1"/>
  ${templates(spec.level)}
  ${keep('documentId', `<id root="${spec.id}"/>`)}
  <code code="18748-4" displayName="CR d'imagerie médicale" codeSystem="2.16.840.1.113883.6.1"/>
  <title>CR d’imagerie médicale</title>
  <effectiveTime value="20260310101500+0100"/>
  <confidentialityCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-FR"/>
  <setId root="2.25.99"/>
  <versionNumber value="${spec.version}"/>
  ${recordTarget(spec.patient, keep)}
  <author>
    <functionCode code="ATTPHYS" displayName="Responsable du patient" codeSystem="2.16.840.1.113883.5.88"/>
    <time value="20260310101500+0100"/>
    <assignedAuthor>${person(spec, true, true)}</assignedAuthor>
  </author>
  <legalAuthenticator>
    <time value="20260310101500+0100"/>
    <signatureCode code="S"/>
    <assignedEntity>${person(spec, !without.has('practice'), !without.has('legalAuthenticator'))}</assignedEntity>
  </legalAuthenticator>
  ${spec.orders.map((order) => inFulfillmentOf(order, keep)).join('')}
  ${spec.studies.map((study) => documentationOf(study, spec, keep)).join('')}
  <documentationOf><serviceEvent><code code="Z13.9" codeSystem="2.16.840.1.113883.6.3"/></serviceEvent></documentationOf>
  ${spec.replaces === undefined ? '' : `<relatedDocument typeCode="RPLC"><parentDocument><id root="${spec.replaces}"/></parentDocument></relatedDocument>`}
  <componentOf><encompassingEncounter><code code="AMB" codeSystem="2.16.840.1.113883.5.4"/>
    <location><healthCareFacility><code code="SA08" displayName="Cabinet de groupe" codeSystem="1.2.250.1.71.4.2.4"/></healthCareFacility></location>
  </encompassingEncounter></componentOf>
  ${body(spec)}
</ClinicalDocument>`;
}

type Keep = (datum: RemovableDatum, xml: string) => string;

function templates(level: 'N1' | 'N3'): string {
  const roots =
    level === 'N1'
      ? ['1.3.6.1.4.1.19376.1.2.20']
      : ['1.2.840.10008.9.1', '1.2.840.10008.9.20', '1.2.840.10008.9.21', '1.2.250.1.213.1.1.1.45'];
  return roots.map((root) => `<templateId root="${root}"/>`).join('');
}

function recordTarget(patient: InventedPatient, keep: Keep): string {
  return `<recordTarget><patientRole>
    ${keep('ins', `<id extension="${patient.matricule}" root="${patient.oid}"/>`)}
    <id extension="${patient.ipp}" root="1.2.250.1.213.4.5.2.4"/>
    <patient classCode="PSN"><name>
      ${keep('birthFamily', `<family qualifier="BR">${escape(patient.birthFamily)}</family>`)}
      ${keep('firstBirthGiven', `<given qualifier="BR">${escape(patient.firstBirthGiven)}</given>`)}
      <given>${escape(patient.birthGivenList)}</given>
      ${patient.usedFamily === undefined ? '' : `<family qualifier="CL">${escape(patient.usedFamily)}</family>`}
      ${patient.usedGiven === undefined ? '' : `<given qualifier="CL">${escape(patient.usedGiven)}</given>`}
    </name>
    ${keep('sex', `<administrativeGenderCode code="${patient.sex}" codeSystem="2.16.840.1.113883.5.1"/>`)}
    ${keep('birthDate', `<birthTime value="${patient.birthDate}"/>`)}
    <birthplace><place><addr><county>${patient.birthPlace}</county></addr></place></birthplace></patient>
  </patientRole></recordTarget>`;
}

function person({ professional, structure }: CdaSpec, withStructure: boolean, withId: boolean): string {
  const id = withId ? `<id root="1.2.250.1.71.4.2.1" extension="${professional.id}"/>` : '';
  const organization = withStructure ? `<id root="1.2.250.1.71.4.2.2" extension="${structure.id}"/>` : '';
  return `${id}
    <code code="G15_10/SM44" displayName="Médecin - Radio-diagnostic (SM)" codeSystem="1.2.250.1.213.1.1.4.5"/>
    <assignedPerson><name><given>${escape(professional.given)}</given><family>${escape(professional.family)}</family></name></assignedPerson>
    <representedOrganization>${organization}<name>${escape(structure.name)}</name></representedOrganization>`;
}

function inFulfillmentOf({ accession, placer }: CdaOrderSpec, keep: Keep): string {
  return `<inFulfillmentOf><order>
    ${keep('placerOrderNumber', `<id root="${placer.authority}" extension="${escape(placer.value)}"/>`)}
    ${keep('accessionNumber', `<ps3-20:accessionNumber root="${accession.authority}" extension="${escape(accession.value)}"/>`)}
  </order></inFulfillmentOf>`;
}

function documentationOf(study: CdaStudySpec, { structure, professional }: CdaSpec, keep: Keep): string {
  const qualifier = (code: string): string => `<qualifier><name code="${code}"/></qualifier>`;
  return `<documentationOf><serviceEvent classCode="ACT">
    ${keep('studyInstanceUid', `<id root="${study.studyInstanceUid}"/>`)}
    <code code="${study.act.code}" displayName="${escape(study.act.label)}" codeSystem="2.16.840.1.113883.6.1">
      ${study.ccam === undefined ? '' : `<translation code="${study.ccam.code}" displayName="${escape(study.ccam.label)}" codeSystem="1.2.250.1.213.2.5"/>`}
      ${keep('modality', `<translation code="${study.modality}" displayName="Modalité ${study.modality}" codeSystem="1.2.840.10008.2.16.4">${qualifier('121139')}</translation>`)}
      ${keep('region', `<translation code="${study.region.code}" displayName="${escape(study.region.label)}" codeSystem="2.16.840.1.113883.6.96">${qualifier('39111-0')}</translation>`)}
    </code>
    <effectiveTime><low value="${study.start}"/><high value="${study.stop}"/></effectiveTime>
    <performer typeCode="PRF"><assignedEntity><id root="1.2.250.1.71.4.2.1" extension="${professional.id}"/>
      <representedOrganization><id root="1.2.250.1.71.4.2.2" extension="${structure.id}"/><name>${escape(structure.name)}</name>
        <standardIndustryClassCode code="AMBULATOIRE" displayName="Ambulatoire" codeSystem="1.2.250.1.213.1.1.4.9"/></representedOrganization>
    </assignedEntity></performer>
  </serviceEvent></documentationOf>`;
}

function body({ level, bodyBytes }: CdaSpec): string {
  const filler = 'Examen sans particularité. '.repeat(Math.ceil(bodyBytes / 28));
  if (level === 'N3')
    return `<component><structuredBody><component><section><text>${filler}</text></section></component></structuredBody></component>`;
  const pdf = Buffer.from(`%PDF-1.4\n${filler}\n%%EOF`).toString('base64');
  return `<component><nonXMLBody><text mediaType="application/pdf" representation="B64">${pdf}</text></nonXMLBody></component>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
