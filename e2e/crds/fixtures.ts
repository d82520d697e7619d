/** The cases every judge of resources must agree on: the API server (here) and the operator on one host (operator/api). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export type Json = Record<string, unknown>;

export interface Case {
  readonly name: string;
  /** Where the tried CEL rule stands, items written `[]`; with `rule`, the beginning of its message. */
  readonly at?: string;
  readonly rule?: string;
  readonly verdict: 'accepted' | 'refused';
  /** Field the refusal names. */
  readonly field?: string;
  /** As first created; present in every case. */
  readonly created: Json;
  /** What it is changed to, in a case about change. */
  readonly updated?: Json;
}

interface Written {
  readonly base: Json;
  readonly cases: readonly (Omit<Case, 'created' | 'updated'> & { readonly set?: Json; readonly update?: Json })[];
}

export const kinds = ['TrustSpace', 'DrimboxSite', 'PacsLink'] as const;
export type Kind = (typeof kinds)[number];

export function readCrd(kind: Kind): Json {
  const file = join(import.meta.dirname, `../../crds/${kind.toLowerCase()}s.yaml`);
  return parse(readFileSync(file, 'utf8')) as Json;
}

export function readCases(kind: Kind): Case[] {
  const file = join(import.meta.dirname, `fixtures/${kind.toLowerCase()}.yaml`);
  const { base, cases } = parse(readFileSync(file, 'utf8'), { merge: true }) as Written;
  return cases.map(({ set, update, ...rest }) => ({
    ...rest,
    created: change(base, set ?? {}),
    ...(update === undefined ? {} : { updated: change(base, update) }),
  }));
}

/** A copy of `base` with dotted paths set; null removes. */
function change(base: Json, changes: Json): Json {
  const copy = structuredClone(base);
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let at = copy;
    for (const key of keys) at = (at[key] ??= {}) as Json;
    if (value === null) delete at[last];
    else at[last] = structuredClone(value);
  }
  return copy;
}

export interface Rule {
  readonly at: string;
  readonly message: string;
}

/** Every CEL rule of a CRD, with the place it stands at. */
export function rulesOf(kind: Kind): Rule[] {
  const spec = readCrd(kind)['spec'] as { versions: [{ schema: { openAPIV3Schema: Json } }] };
  const found: Rule[] = [];
  const visit = (schema: Json, at: string): void => {
    for (const rule of (schema['x-kubernetes-validations'] ?? []) as { message: string }[])
      found.push({ at, message: rule.message });
    for (const [name, field] of Object.entries((schema['properties'] ?? {}) as Record<string, Json>))
      visit(field, at === '' ? name : `${at}.${name}`);
    if (schema['items'] !== undefined) visit(schema['items'] as Json, `${at}[]`);
  };
  visit(spec.versions[0].schema.openAPIV3Schema, '');
  return found;
}
