/** The INS matricule: NIR or NIA of 13 characters and its key (ci-sis §0.1, §16 row 52). */

/** OIDs under which an INS may stand: NIR and NIA, production then test. */
export const INS_OIDS: readonly string[] = [
  '1.2.250.1.213.1.4.8',
  '1.2.250.1.213.1.4.9',
  '1.2.250.1.213.1.4.10',
  '1.2.250.1.213.1.4.11',
];

const SHAPE = /^\d{5}(?:\d{2}|2[AB])\d{6}\d{2}$/;

/**
 * Key = 97 − (number mod 97); the departments of Corsica count as 19 (2A) and 18 (2B).
 * @returns what is wrong, in words, or undefined when the matricule is right.
 */
export function insMatriculeFault(matricule: string): string | undefined {
  if (!SHAPE.test(matricule))
    return 'an INS has 15 characters: 13 of the number, digits but for 2A or 2B, and a key of two digits';
  const number = BigInt(matricule.slice(0, 13).replace('2A', '19').replace('2B', '18'));
  const key = 97n - (number % 97n);
  return BigInt(matricule.slice(13)) === key ? undefined : 'the key (last two digits) does not fit the number';
}
