/** What the segments around the CDA say: document OBX, DMP metadata, patient ids, sender (ci-sis §2.3–2.6). */
import type { Identifier, Organization, Visibility } from '../../domain.ts';
import type { Hl7Message, Segment } from './message.ts';

export interface DocumentObservation {
  /** OBX-5.5 as sent, blanks removed. */
  readonly base64: string;
  /** OBX-11: F, C or D. */
  readonly status: string;
}

/** OBX-2 = ED and OBX-5.3 = XML, whatever the case; mail bodies (CORPSMAIL_*) are ED without XML. */
export function documentObservations(message: Hl7Message): readonly DocumentObservation[] {
  return segments(message, 'OBX')
    .filter((obx) => obx.value(2).toUpperCase() === 'ED' && obx.value(5, 3).toUpperCase() === 'XML')
    .map((obx) => ({ base64: obx.value(5, 5).replaceAll(/\s+/g, ''), status: obx.value(11).toUpperCase() }));
}

/** @returns undefined when the text is not base64 (RFC 4648 §4), which `Buffer.from` would not say. */
export function decodeBase64(text: string): Buffer | undefined {
  const shaped = text.length > 0 && text.length % 4 === 0 && !/[^A-Za-z0-9+/=]/.test(text) && !/=(?!=?$)/.test(text);
  return shaped ? Buffer.from(text, 'base64') : undefined;
}

export interface DmpMetadata {
  /** DESTDMP; undefined when absent or neither Y nor N. */
  readonly publishToDmp: boolean | undefined;
  readonly visibilityChange: boolean;
  readonly secretConnection: boolean;
  readonly visibility: Visibility;
  /** Codes the guide requires that the message does not carry. */
  readonly missing: readonly string[];
}

const REQUIRED = [
  'MASQUE_PS',
  'INVISIBLE_PATIENT',
  'INVISIBLE_REP_LEGAUX',
  'CONNEXION_SECRETE',
  'MODIF_CONF_CODE',
  'DESTDMP',
] as const;

/** Flags of the DMP/MSSanté metadata (ci-sis §2.6): an absent visibility flag is N; an absent DESTDMP stays unknown. */
export function readMetadata(message: Hl7Message): DmpMetadata {
  const answers = new Map(segments(message, 'OBX').map((obx) => [obx.value(3, 1), obx.value(5, 1).toUpperCase()]));
  const yes = (code: (typeof REQUIRED)[number]): boolean => answers.get(code) === 'Y';
  const destination = answers.get('DESTDMP');
  return {
    publishToDmp: destination === 'Y' || destination === 'N' ? destination === 'Y' : undefined,
    visibilityChange: yes('MODIF_CONF_CODE'),
    secretConnection: yes('CONNEXION_SECRETE'),
    visibility: {
      maskedFromProfessionals: yes('MASQUE_PS'),
      invisibleToPatient: yes('INVISIBLE_PATIENT'),
      invisibleToLegalRepresentatives: yes('INVISIBLE_REP_LEGAUX'),
    },
    missing: REQUIRED.filter((code) => !['Y', 'N'].includes(answers.get(code) ?? '')),
  };
}

export interface MessagePatient {
  /** PID-3 with CX.5 = INS. */
  readonly ins: Identifier | undefined;
  /** PID-3 with CX.5 = PI and an authority OID. */
  readonly localPatientId: Identifier | undefined;
  /** PID-32 = VALI with an INS present. */
  readonly insQualified: boolean;
  readonly patientClass: string;
}

export function readMessagePatient(message: Hl7Message): MessagePatient {
  const pid = segment(message, 'PID');
  const identifiers = pid?.repetitions(3) ?? [];
  const withType = (type: string): Identifier | undefined => {
    const found = identifiers.find((cx) => cx.value(5).toUpperCase() === type && cx.value(1) !== '');
    return found === undefined ? undefined : { value: found.value(1), authority: found.value(4, 2) };
  };
  const ins = withType('INS');
  const local = withType('PI');
  const reliability = pid?.repetitions(32).map((code) => code.value().toUpperCase()) ?? [];
  return {
    ins,
    localPatientId: local?.authority === '' ? undefined : local,
    insQualified: ins !== undefined && reliability.includes('VALI'),
    patientClass: segment(message, 'PV1')?.value(2).toUpperCase() ?? '',
  };
}

/** TXA-13 of an MDM: the document replaced, for a CDA that does not say so (ci-sis §2.4, §16 row 9). */
export function parentDocument(message: Hl7Message): Identifier | undefined {
  const txa = segment(message, 'TXA');
  const value = txa?.value(13, 1) ?? '';
  return value === '' ? undefined : { value, authority: txa?.value(13, 3) ?? '' };
}

/** Structure of the sender, PRT-4 = SB (ci-sis §2.5): the situation d'exercice when the CDA has none. */
export function senderOrganization(message: Hl7Message): Organization | undefined {
  const sender = segments(message, 'PRT').find(
    (prt) => prt.value(4, 1).toUpperCase() === 'SB' && prt.value(8, 10) !== '',
  );
  if (sender === undefined) return undefined;
  const [type, id] = [sender.value(8, 7).toUpperCase(), sender.value(8, 10)];
  // FINEG carries the raw FINESS of nine characters; Struct_IdNat puts 1 before it (ci-sis §0.1).
  return { id: type === 'FINEG' && id.length === 9 ? `1${id}` : id, name: sender.value(8, 1) };
}

export function segment(message: Hl7Message, name: string): Segment | undefined {
  return message.segments.find((one) => one.name === name);
}

export function segments(message: Hl7Message, name: string): readonly Segment[] {
  return message.segments.filter((one) => one.name === name);
}
