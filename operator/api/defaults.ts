import { type Schema, isObject } from './schema.ts';

/**
 * A copy of `value` with the schema's defaults filled in, as the API server does it: from the outside in, and a null where
 * a default exists counts as absent (the fields of our schemas are not nullable).
 */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? [...value] : value.map((item) => withDefaults(items, item));
  }
  if (!isObject(value)) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const absent = filled[name] === undefined || (filled[name] === null && field.default !== undefined);
    if (absent && field.default !== undefined) filled[name] = structuredClone(field.default);
    if (filled[name] !== undefined) filled[name] = withDefaults(field, filled[name]);
  }
  return filled;
}
