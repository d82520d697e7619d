/**
 * Words of the field as types. A branded value is made only by the parser beside it, so holding one means it was checked.
 */
declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** DICOM UI, PS3.5 §9.1: 1–64 characters of digits and dots, no leading zero in a component. */
export type Uid = Branded<string, 'Uid'>;
export type StudyInstanceUid = Uid;
export type SeriesInstanceUid = Uid;
export type SopInstanceUid = Uid;
/** DICOM AE, PS3.5 §6.2: 1–16 characters, no backslash, not only spaces. Kept trimmed. */
export type AeTitle = Branded<string, 'AeTitle'>;

const UID = /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*$/;
const AE_TITLE = /^[\x21-\x5B\x5D-\x7E](?:[\x20-\x5B\x5D-\x7E]{0,14}[\x21-\x5B\x5D-\x7E])?$/;

/** @returns the UID without padding, or undefined when it breaks PS3.5 §9.1. */
export function parseUid(text: string): Uid | undefined {
  const value = text.replace(/[\0 ]+$/, '').trim();
  return value.length <= 64 && UID.test(value) ? (value as Uid) : undefined;
}

/** @returns the AE title without padding, or undefined when it breaks PS3.5 §6.2. */
export function parseAeTitle(text: string): AeTitle | undefined {
  const value = text.trim();
  return AE_TITLE.test(value) ? (value as AeTitle) : undefined;
}

/** An identifier and the OID of who assigned it. */
export interface Identifier {
  readonly value: string;
  /** OID; empty when the source gave none. */
  readonly authority: string;
}

/** A coded concept. */
export interface Code {
  readonly code: string;
  readonly system: string;
  readonly label: string;
}

/** INS: matricule and traits, as the CDA gives them (ci-sis §3.1, §3.2). Dates are yyyyMMdd. */
export interface InsIdentity {
  /** 15 characters; Corsica has letters. */
  readonly matricule: string;
  /** 1.2.250.1.213.1.4.8 | .9 | .10 | .11 */
  readonly oid: string;
  readonly birthFamily: string;
  readonly firstBirthGiven: string;
  /** All birth given names separated by spaces. */
  readonly birthGivenList: string;
  readonly usedFamily?: string;
  readonly usedGiven?: string;
  readonly sex: 'M' | 'F' | 'O';
  readonly birthDate: string;
  /** Code INSEE of the birth place, 5 characters, 99xxx abroad; empty when unknown. */
  readonly birthPlace: string;
}

export interface Organization {
  /** Struct_IdNat. */
  readonly id: string;
  readonly name: string;
}

export interface Professional {
  /** PS_IdNat. */
  readonly id: string;
  readonly family: string;
  readonly given: string;
  /** e.g. G15_10/SM44 of 1.2.250.1.213.1.1.4.5 */
  readonly specialty?: Code;
  readonly role?: string;
  readonly organization: Organization;
}

export interface Visibility {
  readonly maskedFromProfessionals: boolean;
  readonly invisibleToPatient: boolean;
  readonly invisibleToLegalRepresentatives: boolean;
}
