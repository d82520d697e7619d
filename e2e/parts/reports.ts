/** Synthetic reports as a RIS sends them: ORU^R01 and MDM, initial, replacement, deletion, and wrong ones (ci-sis §2). */
import { type CdaSpec, type CdaStudySpec, type RemovableDatum, cdaDocument } from './cda.ts';
import { type InventedPatient, patients } from './patients.ts';

export type ReportVariant =
  | 'noLocalPatientId'
  | 'notBase64'
  | 'notXml'
  | 'doctype'
  | 'notForDmp'
  | 'noDestination'
  | 'noMsh'
  | 'noPid'
  | 'noDocument'
  | 'noSender'
  | 'otherInsInPid'
  | 'notQualified';

export interface ReportSpec {
  readonly transport: 'ORU' | 'MDM';
  readonly action: 'initial' | 'replacement' | 'deletion';
  readonly controlId: string;
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  readonly cda: CdaSpec;
  /** Second document of the same ORU, with its own id. */
  readonly second?: CdaSpec;
  readonly flags: {
    readonly maskedFromProfessionals: boolean;
    readonly invisibleToPatient: boolean;
    readonly invisibleToLegalRepresentatives: boolean;
    readonly visibilityChange: boolean;
    readonly secretConnection: boolean;
  };
  /** MSH-18 and the encoding of the message; the CDA stays UTF-8. */
  readonly characterSet: 'UNICODE UTF-8' | '8859/15' | '8859/1' | '';
  /** PV1-2. */
  readonly patientClass: string;
  readonly without: readonly RemovableDatum[];
  readonly variant?: ReportVariant;
}

export const aStudy: CdaStudySpec = {
  studyInstanceUid: '2.25.1001',
  modality: 'CT',
  region: { code: '774007', label: 'tête et/ou cou' },
  act: { code: '24725-4', label: 'TDM crâne' },
  ccam: { code: 'ACQK001', label: 'Scanner du crâne' },
  start: '20260310090000+0100',
  stop: '20260310091500+0100',
};

/** A whole report to derive others from: `{ ...aReport(), controlId: 'M2' }`. */
export function aReport(
  over: Partial<Omit<ReportSpec, 'cda'>> & { readonly cda?: Partial<CdaSpec>; readonly patient?: InventedPatient } = {},
): ReportSpec {
  const { cda, patient, ...rest } = over;
  return {
    transport: 'ORU',
    action: 'initial',
    controlId: 'M1',
    sendingApplication: 'RIS_TEST',
    sendingFacility: 'SITE_TEST',
    flags: {
      maskedFromProfessionals: false,
      invisibleToPatient: false,
      invisibleToLegalRepresentatives: false,
      visibilityChange: false,
      secretConnection: false,
    },
    characterSet: 'UNICODE UTF-8',
    patientClass: 'O',
    without: [],
    ...rest,
    cda: {
      level: 'N1',
      id: '2.25.5001',
      version: 1,
      patient: patient ?? patients.marie,
      orders: [
        {
          accession: { value: 'ACN1001', authority: '1.2.250.1.213.4.5.2.5' },
          placer: { value: 'OPN1001', authority: '1.2.250.1.213.4.5.2.6' },
        },
      ],
      studies: [aStudy],
      structure: { id: '1999999999', name: 'Cabinet d’essai de la Côte' },
      professional: { id: '899999999901', family: 'MODELE', given: 'Zoé' },
      bodyBytes: 500,
      ...cda,
    },
  };
}

const SENDER =
  'PRT||UC||SB^Send by^participation|899999999901^MODELE^Zoé^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS|||Cabinet^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^IDNST^^^1999999998';

const STEPS = {
  initial: { event: 'T02', orderControl: 'NW', status: 'F' },
  replacement: { event: 'T10', orderControl: 'RO', status: 'C' },
  deletion: { event: 'T04', orderControl: 'CA', status: 'D' },
} as const;

/** @returns the message without MLLP framing, in its character set. */
export function reportMessage(spec: ReportSpec): Buffer {
  const step = STEPS[spec.action];
  const mdm = spec.transport === 'MDM';
  const documents = [spec.cda, ...(spec.second === undefined ? [] : [spec.second])];
  const segments = [
    ...(spec.variant === 'noMsh' ? [] : [header(spec, mdm ? `MDM^${step.event}^MDM_T02` : 'ORU^R01^ORU_R01', mdm)]),
    ...(mdm ? ['EVN||20260310101600'] : []),
    ...(spec.variant === 'noPid' ? [] : [pid(spec)]),
    `PV1|1|${spec.patientClass}|UF`,
    `ORC|${step.orderControl}|`,
    "OBR|1|P1^RIS|F1^RIS|18748-4^CR d'imagerie médicale^LN|||20260310",
    ...(mdm ? [txa(spec)] : []),
    ...(spec.variant === 'noDocument'
      ? []
      : documents.flatMap((document, index) => [
          observation(spec, document, index + 1, step.status, mdm),
          ...(spec.variant === 'noSender' ? [] : [SENDER]),
        ])),
    ...metadata(spec, mdm ? 'CWE' : 'CE', documents.length),
  ];
  return encode(`${segments.join('\r')}\r`, spec.characterSet);
}

/** OMI^O23: the PACS says that this study changed (ci-sis §2.8). */
export function examChangeMessage(studyInstanceUid: string, controlId: string): Buffer {
  return Buffer.from(
    [
      `MSH|^~\\&|PACS_TEST|SITE_TEST|DRIMBOX|SITE_TEST|20260310120000||OMI^O23^OMI_O23|${controlId}|P|2.5.1`,
      'PID|||IPP0001^^^SITE&1.2.250.1.213.4.5.2.4&ISO^PI||EXEMPLE^MARIE',
      'ORC|CA',
      'TQ1|||||||20260310120000',
      'OBR|1|P1|F1|34555-3^^LN',
      `IPC|ACN1001|RP1|${studyInstanceUid}|SPS1|CT`,
      '',
    ].join('\r'),
  );
}

function header(spec: ReportSpec, type: string, mdm: boolean): string {
  return `MSH|^~\\&|${spec.sendingApplication}|${spec.sendingFacility}|DRIMBOX|SITE_TEST|20260310101600||${type}|${spec.controlId}|P|${mdm ? '2.6' : '2.5'}|||||FRA|${spec.characterSet}|||2.1^CISIS_CDA_HL7_V2`;
}

function pid(spec: ReportSpec): string {
  const { patient } = spec.cda;
  const matricule = spec.variant === 'otherInsInPid' ? patients.corsicanSouth.matricule : patient.matricule;
  const ins = `${matricule}^^^ASIP-SANTE-INS-NIR&${patient.oid}&ISO^INS`;
  const local = `${patient.ipp}^^^SITE&1.2.250.1.213.4.5.2.4&ISO^PI`;
  const identifiers = [
    ...(spec.without.includes('ins') ? [] : [ins]),
    ...(spec.variant === 'noLocalPatientId' ? [] : [local]),
  ];
  const name = `${patient.birthFamily}^${patient.firstBirthGiven}^${patient.birthGivenList}^^^^L`;
  const status = spec.variant === 'notQualified' ? 'PROV' : 'VALI';
  return `PID|||${identifiers.join('~')}||${name}||${patient.birthDate}|${patient.sex}|||^^^^^^BDL^^${patient.birthPlace}${'|'.repeat(20)}N|${status}`;
}

function txa(spec: ReportSpec): string {
  return `TXA|1|18748-4|TEXT|202603101015||||||||${spec.cda.id}|${spec.cda.replaces ?? ''}||||AU`;
}

function observation(spec: ReportSpec, cda: CdaSpec, set: number, status: string, mdm: boolean): string {
  const data = `^${mdm ? 'text' : 'TEXT'}^XML^Base64^${documentBase64(spec, cda)}`;
  return `OBX|${set}|ED|18748-4^CR d'imagerie médicale^LN||${data}||||||${status}|`;
}

function documentBase64(spec: ReportSpec, cda: CdaSpec): string {
  const xml = cdaDocument(cda, new Set(spec.without));
  if (spec.variant === 'notBase64') return 'ceci*n%est-pas$base64';
  if (spec.variant === 'notXml') return Buffer.from('ceci n’est pas du XML').toString('base64');
  if (spec.variant === 'doctype')
    return Buffer.from(
      xml.replace('<ClinicalDocument', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><ClinicalDocument'),
    ).toString('base64');
  return Buffer.from(xml).toString('base64');
}

function metadata({ flags, variant }: ReportSpec, type: 'CE' | 'CWE', documents: number): readonly string[] {
  const answers: readonly (readonly [string, boolean])[] = [
    ['MASQUE_PS', flags.maskedFromProfessionals],
    ['INVISIBLE_PATIENT', flags.invisibleToPatient],
    ['INVISIBLE_REP_LEGAUX', flags.invisibleToLegalRepresentatives],
    ['CONNEXION_SECRETE', flags.secretConnection],
    ['MODIF_CONF_CODE', flags.visibilityChange],
    ['DESTDMP', variant !== 'notForDmp'],
    ['DESTMSSANTEPS', false],
    ['DESTMSSANTEPAT', false],
  ];
  return answers
    .filter(([code]) => !(variant === 'noDestination' && code === 'DESTDMP'))
    .map(
      ([code, yes], index) =>
        `OBX|${index + 1 + documents}|${type}|${code}^${code}^MetaDMPMSS||${yes ? 'Y' : 'N'}^^expandedYes-NoIndicator||||||F|`,
    );
}

/** œ of ISO-8859-15 is not where Unicode has it; the accents of French are. */
function encode(text: string, characterSet: ReportSpec['characterSet']): Buffer {
  if (characterSet === '8859/15')
    return Buffer.from(text.replaceAll('œ', '\u00BD').replaceAll('Œ', '\u00BC').replaceAll('’', "'"), 'latin1');
  return characterSet === '8859/1' ? Buffer.from(text, 'latin1') : Buffer.from(text, 'utf8');
}
