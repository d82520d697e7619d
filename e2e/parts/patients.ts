/** Invented people with well-formed INS matricules (OID of test environments): no one, anywhere, is meant. */

export interface InventedPatient {
  /** 15 characters with a right key. */
  readonly matricule: string;
  readonly oid: string;
  readonly birthFamily: string;
  readonly firstBirthGiven: string;
  readonly birthGivenList: string;
  readonly usedFamily?: string;
  readonly usedGiven?: string;
  readonly sex: 'M' | 'F';
  /** yyyyMMdd */
  readonly birthDate: string;
  /** Code INSEE, 99xxx abroad. */
  readonly birthPlace: string;
  /** Local id at the imaging site. */
  readonly ipp: string;
}

/** INS-NIR of test environments. */
const TEST_NIR = '1.2.250.1.213.1.4.10';

/** @param number 13 characters: sex, year, month, place (2A and 2B for Corsica), order. @returns with its key, 97 − (number mod 97). */
export function withInsKey(number: string): string {
  const digits = number.replace('2A', '19').replace('2B', '18');
  return `${number}${String(97n - (BigInt(digits) % 97n)).padStart(2, '0')}`;
}

export const patients = {
  marie: {
    matricule: withInsKey('2850499403012'),
    oid: TEST_NIR,
    birthFamily: 'EXEMPLE',
    firstBirthGiven: 'MARIE',
    birthGivenList: 'MARIE ANNE LOUISE',
    usedFamily: 'FICTIF',
    usedGiven: 'ANNE',
    sex: 'F',
    birthDate: '19850412',
    birthPlace: '99403',
    ipp: 'IPP0001',
  },
  corsicanSouth: {
    matricule: withInsKey('170112A004123'),
    oid: TEST_NIR,
    birthFamily: 'ESSAI-COLONNA',
    firstBirthGiven: 'ANGE',
    birthGivenList: 'ANGE TOUSSAINT',
    sex: 'M',
    birthDate: '19701103',
    birthPlace: '2A004',
    ipp: 'IPP0002',
  },
  corsicanNorth: {
    matricule: withInsKey('262072B033045'),
    oid: TEST_NIR,
    birthFamily: 'ESSAI-LUCIANI',
    firstBirthGiven: 'LETIZIA',
    birthGivenList: 'LETIZIA',
    usedFamily: 'MODELE',
    sex: 'F',
    birthDate: '19620715',
    birthPlace: '2B033',
    ipp: 'IPP0003',
  },
  accented: {
    matricule: withInsKey('1910675056078'),
    oid: TEST_NIR,
    birthFamily: "D'ESSAI-LŒUVRE",
    firstBirthGiven: 'FRANÇOIS-NOËL',
    birthGivenList: 'FRANÇOIS-NOËL ÉLOÏ ANDRÉ',
    usedGiven: 'ÉLOÏ',
    sex: 'M',
    birthDate: '19910623',
    birthPlace: '75056',
    ipp: 'IPP0004',
  },
} as const satisfies Record<string, InventedPatient>;
