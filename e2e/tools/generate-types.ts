/**
 * Writes operator/api/types.generated.ts from crds/*.yaml, the one source of the resources' shape.
 * The types describe a resource after defaulting: a field with a default is always there.
 *
 * usage: generate-types.ts [--check]   --check writes nothing and exits 1 when the file differs
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const target = join(root, 'operator/api/types.generated.ts');

interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly default?: unknown;
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly scope: 'Cluster' | 'Namespaced';
    readonly names: { readonly kind: string };
    readonly versions: readonly [{ readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }];
  };
}

const header = `/** Generated from crds/*.yaml by \`npm run generate\`; the suite fails when they differ. Edit the YAML. */

export interface ResourceMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  /** RFC 3339. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
`;

/** The text of the generated file. */
export function generateTypes(): string {
  const folder = join(root, 'crds');
  const definitions = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((name) => parse(readFileSync(join(folder, name), 'utf8')) as Definition);
  return [header, ...definitions.map(kind)].join('\n');
}

function kind({ spec }: Definition): string {
  const name = spec.names.kind;
  const [version] = spec.versions;
  const schema = version.schema.openAPIV3Schema;
  const metadata = spec.scope === 'Cluster' ? 'ResourceMetadata' : 'ResourceMetadata & { readonly namespace: string }';
  return [
    ...['Spec', 'Status'].map((part) => {
      const found = schema.properties?.[part.toLowerCase()];
      if (found === undefined) throw new Error(`${name}: no ${part.toLowerCase()} in its schema`);
      return `${comment(found, '')}export interface ${name}${part} ${object(found, '')}\n`;
    }),
    `${comment(schema, '')}export interface ${name} {
  readonly apiVersion: '${spec.group}/${version.name}';
  readonly kind: '${name}';
  readonly metadata: ${metadata};
  readonly spec: ${name}Spec;
  readonly status?: ${name}Status;
}
`,
  ].join('\n');
}

function object(schema: Schema, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const sure = schema.required?.includes(name) === true || field.default !== undefined;
    return `${comment(field, inner)}${inner}readonly ${name}${sure ? '' : '?'}: ${type(field, inner)};`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function type(schema: Schema, indent: string): string {
  switch (schema.type) {
    case 'object':
      return object(schema, indent);
    case 'array': {
      if (schema.items === undefined) throw new Error('an array without items is not structural');
      const items = type(schema.items, indent);
      return `readonly ${items.includes(' | ') && !items.startsWith('{') ? `(${items})` : items}[]`;
    }
    case 'string':
      return schema.enum === undefined ? 'string' : schema.enum.map((value) => `'${value}'`).join(' | ');
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case undefined:
    default:
      throw new Error(`a schema without type is not structural: ${JSON.stringify(schema)}`);
  }
}

function comment(schema: Schema, indent: string): string {
  return schema.description === undefined
    ? ''
    : `${indent}/** ${schema.description.trim().replaceAll('*/', '* /').replaceAll(/\s+/g, ' ')} */\n`;
}

if (process.argv[1] === import.meta.filename) {
  const text = generateTypes();
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) {
    console.error('operator/api/types.generated.ts differs from crds/: run npm run generate');
    process.exit(1);
  }
}
