/**
 * Judges one resource as a cluster's API server would (strict field validation), so that a host refuses the same YAML.
 * That both agree is tested with one table of cases: e2e/crds/fixtures.
 */
import { celFaults } from './cel.ts';
import { withDefaults } from './defaults.ts';
import { type ApiFault, type Definition, type Schema, isObject } from './schema.ts';
import type { PlainResource } from './plain-kinds.ts';
import { structureFaults } from './structure.ts';
import type { DrimboxSite, PacsLink, TrustSpace } from './types.generated.ts';

/** Everything that may stand in a watched directory. */
export type Resource = TrustSpace | DrimboxSite | PacsLink | PlainResource;

export type Judgement =
  | { readonly accepted: true; readonly resource: Resource }
  | { readonly accepted: false; readonly faults: readonly ApiFault[] };

const text: Schema = { type: 'string', maxLength: 262_144 };
const map: Schema = { type: 'object' };

/** ObjectMeta as users write it, and what a cluster adds when a resource is exported from it. */
const metadata: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' },
    namespace: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
    labels: { ...map, additionalProperties: { type: 'string', maxLength: 63 } },
    annotations: { ...map, additionalProperties: text },
    uid: text,
    resourceVersion: text,
    creationTimestamp: text,
    generateName: text,
    selfLink: text,
    generation: { type: 'integer' },
    managedFields: { type: 'array' },
    ownerReferences: { type: 'array' },
    finalizers: { type: 'array', items: text },
  },
};

const complete = new WeakMap<Definition, Schema>();

/** `resource` is any parsed YAML of this kind; `old` the accepted one it replaces. Pure. */
export function judge(definition: Definition, resource: unknown, old?: Resource): Judgement {
  const schema = complete.get(definition) ?? withMetadata(definition);
  complete.set(definition, schema);
  const filled = withDefaults(schema, withNamespace(definition, resource));
  const structure = structureFaults(schema, filled);
  if (structure.length > 0) return { accepted: false, faults: structure };
  // CEL is judged only on what is structurally sound, as the API server does.
  const cel = celFaults(schema, filled, old);
  if (cel.length > 0) return { accepted: false, faults: cel };
  // Sound by the schema these types are generated from.
  return { accepted: true, resource: filled as Resource };
}

function withMetadata({ schema, apiVersion, kind }: Definition): Schema {
  return {
    ...schema,
    required: ['apiVersion', 'kind', 'metadata', ...(schema.required ?? [])],
    properties: {
      ...schema.properties,
      apiVersion: { type: 'string', enum: [apiVersion] },
      kind: { type: 'string', enum: [kind] },
      metadata,
    },
  };
}

/** A namespaced resource without namespace is in `default`, as with kubectl; a cluster-scoped one has none. */
function withNamespace({ scope }: Definition, resource: unknown): unknown {
  if (scope === 'Cluster' || !isObject(resource) || !isObject(resource['metadata'])) return resource;
  return { ...resource, metadata: { namespace: 'default', ...resource['metadata'] } };
}
