/** The kinds of Kubernetes itself that may stand in the watched directory beside ours, with the fields that matter here. */
import type { Definition, Definitions, Schema } from './schema.ts';
import type { ResourceMetadata } from './types.generated.ts';

type Namespaced = ResourceMetadata & { readonly namespace: string };

export interface SecretResource {
  readonly apiVersion: 'v1';
  readonly kind: 'Secret';
  readonly metadata: Namespaced;
  readonly type?: string;
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
  /** Plain text; wins over `data`, as on a cluster. */
  readonly stringData?: Readonly<Record<string, string>>;
}

export interface ConfigMapResource {
  readonly apiVersion: 'v1';
  readonly kind: 'ConfigMap';
  readonly metadata: Namespaced;
  readonly data?: Readonly<Record<string, string>>;
  /** Base64. */
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** Means nothing on a host; accepted so that the YAML of a cluster need not be cut up. */
export interface NamespaceResource {
  readonly apiVersion: 'v1';
  readonly kind: 'Namespace';
  readonly metadata: ResourceMetadata;
}

export type PlainResource = SecretResource | ConfigMapResource | NamespaceResource;

const texts: Schema = { type: 'object', additionalProperties: { type: 'string', maxLength: 1_048_576 } };
const base64s: Schema = {
  type: 'object',
  additionalProperties: { type: 'string', maxLength: 1_398_104, pattern: '^[A-Za-z0-9+/\\s]*={0,2}\\s*$' },
};
const flag: Schema = { type: 'boolean' };

function plain(kind: string, scope: Definition['scope'], properties: Readonly<Record<string, Schema>>): Definition {
  return { apiVersion: 'v1', kind, scope, schema: { type: 'object', properties } };
}

export const plainDefinitions: Definitions = new Map(
  [
    plain('Secret', 'Namespaced', { type: { type: 'string' }, data: base64s, stringData: texts, immutable: flag }),
    plain('ConfigMap', 'Namespaced', { data: texts, binaryData: base64s, immutable: flag }),
    plain('Namespace', 'Cluster', { spec: { type: 'object' }, status: { type: 'object' } }),
  ].map((definition) => [definition.kind, definition]),
);
