/** The part of a structural OpenAPI v3 schema that our CRDs use, and the CRDs read from disk. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface CelRule {
  readonly rule: string;
  readonly message: string;
  /** `.a.b` below the place of the rule: the field a refusal points to. */
  readonly fieldPath?: string;
}

export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
  readonly 'x-kubernetes-list-type'?: 'set' | 'map' | 'atomic';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  /** Bounds and formats, handed to Ajv as they are. */
  readonly [keyword: string]: unknown;
}

export interface Definition {
  readonly apiVersion: string;
  readonly kind: string;
  readonly scope: 'Cluster' | 'Namespaced';
  readonly schema: Schema;
}

/** Kind to definition. */
export type Definitions = ReadonlyMap<string, Definition>;

interface Crd {
  readonly spec: {
    readonly group: string;
    readonly scope: 'Cluster' | 'Namespaced';
    readonly names: { readonly kind: string };
    readonly versions: readonly [{ readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }];
  };
}

/** Reads every CRD of a folder. @throws Error when a file is not YAML or the folder does not exist */
export function readDefinitions(folder: string): Definitions {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return new Map(
    files.map((name) => {
      const { spec } = parse(readFileSync(join(folder, name), 'utf8')) as Crd;
      const [version] = spec.versions;
      return [
        spec.names.kind,
        {
          apiVersion: `${spec.group}/${version.name}`,
          kind: spec.names.kind,
          scope: spec.scope,
          schema: version.schema.openAPIV3Schema,
        },
      ];
    }),
  );
}

/** Path of a field: keys, and indexes of lists. */
export type FieldPath = readonly (string | number)[];

/** As the API server writes it: `spec.ris[0].name`. */
export function writePath(path: FieldPath): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');
}

/** One reason why a resource is refused. */
export interface ApiFault {
  readonly path: FieldPath;
  /** The rule: a keyword of the schema, `unknown`, `unique`, or a CEL expression. */
  readonly rule: string;
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
