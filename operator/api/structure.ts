/** Structure of a resource against its schema: types, bounds, unknown fields, unique list items. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { type ApiFault, type FieldPath, type Schema, isObject } from './schema.ts';

// That a CRD's schema is one is for an API server to say (e2e/crds): looking, and polishing code for a few documents, costs each start.
const ajv = new Ajv({
  allErrors: true,
  strict: false,
  verbose: true,
  meta: false,
  validateSchema: false,
  code: { optimize: false },
});
// Its default export is a CommonJS function whose type says otherwise under NodeNext.
formats.default(ajv);
ajv.addFormat('int64', { type: 'number', validate: Number.isSafeInteger });

const compiled = new WeakMap<Schema, ValidateFunction>();

/** Faults of structure; none when it is sound. Unknown fields are faults, as with `kubectl --validate=strict`. */
export function structureFaults(schema: Schema, value: unknown): ApiFault[] {
  const validate = compiled.get(schema) ?? ajv.compile(closed(schema));
  compiled.set(schema, validate);
  const sound = validate(value);
  const faults = sound ? [] : (validate.errors ?? []).map((error) => fault(error, value));
  return [...faults, ...duplicates(schema, value, [])];
}

/** The schema with every object that lists its properties closed, which pruning and strict validation amount to. */
function closed(schema: Schema): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.fromEntries(
    Object.entries(schema).filter(([key]) => !key.startsWith('x-') && key !== 'default' && key !== 'description'),
  );
  if (schema.properties !== undefined) {
    copy['properties'] = Object.fromEntries(Object.entries(schema.properties).map(([k, v]) => [k, closed(v)]));
    copy['additionalProperties'] = false;
  }
  if (schema.items !== undefined) copy['items'] = closed(schema.items);
  return copy;
}

/** JSON pointer to field path; numbers are list indexes where the value holds a list. */
function toPath(pointer: string, value: unknown): FieldPath {
  const path: (string | number)[] = [];
  let at = value;
  for (const raw of pointer.split('/').slice(1)) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(at) ? Number(key) : key);
    at = Array.isArray(at) ? at[Number(key)] : isObject(at) ? at[key] : undefined;
  }
  return path;
}

function fault(error: ErrorObject, value: unknown): ApiFault {
  const path = toPath(error.instancePath, value);
  const { params } = error;
  switch (error.keyword) {
    case 'required': {
      const name = String(params['missingProperty']);
      return { path: [...path, name], rule: 'required', message: 'is required', remedy: `add ${name}` };
    }
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
      const near = known.find((candidate) => distance(candidate, name) <= 2);
      return {
        path: [...path, name],
        rule: 'unknown',
        message: 'is not a field of this resource',
        remedy: near === undefined ? `remove it; known here: ${known.join(', ')}` : `did you mean ${near}?`,
      };
    }
    case 'enum':
      return {
        path,
        rule: 'enum',
        message: `must be one of ${(params['allowedValues'] as readonly unknown[]).join(', ')}`,
        remedy: 'choose one of them',
      };
    case 'type':
      return {
        path,
        rule: 'type',
        message: `must be ${String(params['type'])}`,
        remedy:
          params['type'] === 'string' ? 'put it in quotes' : `write it as ${String(params['type'])}, without quotes`,
      };
    default:
      return {
        path,
        rule: error.keyword,
        message: error.message ?? `breaks ${error.keyword}`,
        remedy: 'change the value so that it fits',
      };
  }
}

/** `x-kubernetes-list-type: set` and `map`: no two equal items, no two items with equal keys. */
function duplicates(schema: Schema, value: unknown, path: FieldPath): ApiFault[] {
  if (Array.isArray(value)) {
    const keys = schema['x-kubernetes-list-map-keys'];
    const listType = schema['x-kubernetes-list-type'];
    const seen = new Set<string>();
    const found = value.flatMap((item: unknown, index): ApiFault[] => {
      const key = JSON.stringify(listType === 'map' && isObject(item) ? keys?.map((name) => item[name]) : item);
      const double = (listType === 'set' || listType === 'map') && seen.has(key);
      seen.add(key);
      if (!double) return [];
      const what = listType === 'map' ? ` (same ${keys?.join(', ')})` : '';
      return [
        { path: [...path, index], rule: 'unique', message: `is there twice${what}`, remedy: 'remove one of them' },
      ];
    });
    const { items } = schema;
    return items === undefined
      ? found
      : [...found, ...value.flatMap((item: unknown, index) => duplicates(items, item, [...path, index]))];
  }
  if (!isObject(value)) return [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    value[name] === undefined ? [] : duplicates(field, value[name], [...path, name]),
  );
}

/** Levenshtein, for names of a few letters. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
