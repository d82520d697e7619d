/** Equality of what we want and what is there, in the fields we own; and a canonical form to remember it by. */
import { createHash } from 'node:crypto';

/**
 * The first half of SHA-256 of the JSON with sorted keys: two documents equal but for the order of keys have one hash. Only ever compared
 * with another of this process, and kept by the ten thousand: 16 characters instead of 44.
 */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest().toString('latin1', 0, 16);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const fields = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${fields.join()}}`;
}

/** Keys by which lists of objects are merged in the kinds used here (x-kubernetes-list-map-keys), most telling first. */
const mergeKeys = ['name', 'key', 'type', 'uid', 'mountPath', 'containerPort', 'port', 'topologyKey', 'ip'];

/**
 * The part of `live` that `desired` speaks of, in its shape: what others own is left out. Lists keep their length, so that an
 * element more or less shows.
 */
export function project(live: unknown, desired: unknown): unknown {
  if (Array.isArray(desired)) return Array.isArray(live) ? projectList(live, desired) : live;
  if (!isObject(desired) || !isObject(live)) return live;
  return Object.fromEntries(
    Object.keys(desired)
      .filter((key) => desired[key] !== undefined)
      .map((key) => [key, project(live[key], desired[key])]),
  );
}

function projectList(live: readonly unknown[], desired: readonly unknown[]): unknown {
  const key = mergeKeys.find((candidate) => identifies(candidate, desired) && identifies(candidate, live));
  if (key === undefined) {
    return live.length === desired.length ? live.map((one, at) => project(one, desired[at])) : live;
  }
  const byKey = new Map(live.filter(isObject).map((one) => [one[key], one]));
  const elements = desired.filter(isObject).map((one) => project(byKey.get(one[key]), one));
  return { length: live.length, elements };
}

/** Every element is an object with a value of its own there. */
function identifies(key: string, list: readonly unknown[]): boolean {
  const values = list.filter(isObject).map((one) => one[key]);
  return list.length > 0 && values.length === list.length && !values.includes(undefined) && isDistinct(values);
}

const isDistinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
