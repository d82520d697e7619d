/** Bends the template of the signature, piece by piece, and signs what comes out. */
import { row } from './document.ts';
import { forge, type Recipe, type Signer } from './forge.ts';
import { edit, type Variant } from './variant.ts';

export type Bends = readonly (readonly [from: string | RegExp, to: string])[];

export type Bend = (name: string, reason: string, bends: Bends, rest?: Partial<Recipe>, dssPasses?: string) => Variant;

/** @param list unsigned */
export function bender(list: string, signer: Signer): Bend {
  return (name, reason, bends, rest = {}, dssPasses) => {
    const template = (xml: string): string => bends.reduce((text, [from, to]) => edit(text, from, to), xml);
    return row(name, reason, forge({ list, signer, template, ...rest }), dssPasses);
  };
}
