/** Our definitions as they were before fields were added: what a cluster has when the operator is upgraded before its CRDs. */
import type { Json } from './fixtures.ts';

/** Of DrimboxSite, since several gateways of one site came. */
export const laterFields = [
  'spec.replicas',
  'spec.storage.postgres',
  'spec.service.dimseAnnotations',
  'spec.service.allocateNodePorts',
  'status.gateways',
] as const;

interface Schema {
  properties?: Record<string, Schema>;
  'x-kubernetes-validations'?: { readonly rule: string }[];
}

interface Version {
  readonly schema: { readonly openAPIV3Schema: Schema };
  additionalPrinterColumns?: { readonly jsonPath: string }[];
}

/** @returns a copy without these fields, the rules that speak of them, and their columns @throws Error for a field that is not there */
export function without(definition: Json, fields: readonly string[]): Json {
  const copy = structuredClone(definition);
  const { versions } = copy['spec'] as { readonly versions: readonly Version[] };
  const names = new RegExp(`\\.(?:${fields.map((field) => field.split('.').at(-1)).join('|')})\\b`);
  for (const version of versions) {
    for (const field of fields) remove(version.schema.openAPIV3Schema, field.split('.'));
    dropRules(version.schema.openAPIV3Schema, names);
    version.additionalPrinterColumns = (version.additionalPrinterColumns ?? []).filter(
      ({ jsonPath }) => !fields.includes(jsonPath.slice(1)),
    );
  }
  return copy;
}

function remove({ properties }: Schema, [first = '', ...rest]: readonly string[]): void {
  const next = properties?.[first];
  if (properties === undefined || next === undefined) throw new Error(`the definition has no ${first}`);
  if (rest.length > 0) return remove(next, rest);
  delete properties[first];
}

function dropRules(schema: Schema, names: RegExp): void {
  const rules = schema['x-kubernetes-validations'];
  if (rules !== undefined) schema['x-kubernetes-validations'] = rules.filter(({ rule }) => !names.test(rule));
  for (const below of Object.values(schema.properties ?? {})) dropRules(below, names);
}
