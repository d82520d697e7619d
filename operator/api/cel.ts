/** The CEL rules of a schema (x-kubernetes-validations), evaluated as the API server does. */
import { isIP, isIPv4 } from 'node:net';
import { Environment } from '@marcbachmann/cel-js';
import { type ApiFault, type CelRule, type FieldPath, type Schema, isObject } from './schema.ts';

const environment = new Environment()
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn')
  // The one function of Kubernetes' CEL libraries that our rules use.
  .registerFunction('isCIDR(string): bool', (text: string) => isCidr(text));

const programs = new Map<string, (context: { self: unknown; oldSelf?: unknown }) => unknown>();

/**
 * Faults of a value that is structurally sound and has its defaults. `old` is what it replaces: rules that speak of
 * `oldSelf` are judged only where both exist (transition rules).
 * @throws Error when a rule itself can't be evaluated, which is a fault of the CRD, not of the value
 */
export function celFaults(schema: Schema, value: unknown, old: unknown, path: FieldPath = []): ApiFault[] {
  const own = (schema['x-kubernetes-validations'] ?? [])
    .filter((rule) => !isTransition(rule) || old !== undefined)
    .filter((rule) => !holds(rule, schema, value, old))
    .map((rule): ApiFault => {
      const below = rule.fieldPath?.split('.').slice(1) ?? [];
      return { path: [...path, ...below], rule: rule.rule, message: rule.message, remedy: remedy(rule) };
    });
  return [...own, ...below(schema, value, old, path)];
}

function isTransition(rule: CelRule): boolean {
  return /\boldSelf\b/.test(rule.rule);
}

function remedy(rule: CelRule): string {
  return isTransition(rule) ? 'put the former value back' : 'change the value so that the rule holds';
}

function below(schema: Schema, value: unknown, old: unknown, path: FieldPath): ApiFault[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.flatMap((item: unknown, index) =>
      celFaults(items, item, partner(schema, item, old), [...path, index]),
    );
  }
  if (!isObject(value)) return [];
  const before = isObject(old) ? old : {};
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    value[name] === undefined ? [] : celFaults(field, value[name], before[name], [...path, name]),
  );
}

/** The former item of a list: only `map` lists say which one it was. */
function partner(schema: Schema, item: unknown, old: unknown): unknown {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (keys === undefined || !Array.isArray(old) || !isObject(item)) return undefined;
  return old.find((candidate: unknown) => isObject(candidate) && keys.every((key) => candidate[key] === item[key]));
}

function holds(rule: CelRule, schema: Schema, value: unknown, old: unknown): boolean {
  const program = programs.get(rule.rule) ?? environment.parse(rule.rule);
  programs.set(rule.rule, program);
  const self = toCel(schema, value);
  return program(old === undefined ? { self } : { self, oldSelf: toCel(schema, old) }) === true;
}

/** CEL's int is 64 bits, a JavaScript number is its double: integers of the schema become bigints. */
function toCel(schema: Schema, value: unknown): unknown {
  if (schema.type === 'integer' && typeof value === 'number') return BigInt(value);
  if (Array.isArray(value)) return value.map((item: unknown) => toCel(schema.items ?? {}, item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, toCel(schema.properties?.[name] ?? {}, field)]),
  );
}

/** As Kubernetes' CIDR library: no leading zeros, no zone, no IPv4 inside IPv6. */
function isCidr(text: string): boolean {
  const match = /^([^/%]+)\/(0|[1-9][0-9]{0,2})$/.exec(text);
  const address = match?.[1] ?? '';
  if (isIP(address) === 0 || /^::ffff:/i.test(address)) return false;
  return Number(match?.[2]) <= (isIPv4(address) ? 32 : 128);
}
