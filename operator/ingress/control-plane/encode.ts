/**
 * JSON form of a protobuf message -> bytes. Equal input gives equal bytes: fields go in the order of their numbers, lists and maps
 * in the order given. A field or enum value that the API does not have is an error, never left out.
 */
import protobuf from 'protobufjs';
import type { JsonObject, JsonValue } from '../resources/json.ts';

export type Encoder = (type: string, json: JsonObject) => Buffer;

/** @throws Error with the path of what does not fit the message */
export function encoder(root: protobuf.Root): Encoder {
  const types = new Map<string, protobuf.Type>();
  const typeOf: TypeOf = (name) => {
    const type = types.get(name) ?? root.lookupType(name);
    types.set(name, type);
    return type;
  };
  return (type, json) => encode(typeOf, type, json, type);
}

type TypeOf = (name: string) => protobuf.Type;

function encode(typeOf: TypeOf, name: string, json: JsonObject, path: string): Buffer {
  const type = typeOf(name);
  const bytes = type.encode(message(typeOf, type, json, path)).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * What writing this type takes, and no more: protobufjs makes its reader, verifier and two converters as well, five programs compiled
 * where one is used, and that in the midst of the first listener.
 */
function prepare(type: protobuf.Type): void {
  if (Object.hasOwn(type, 'encode')) return;
  const types = type.fieldsArray.map((field) => field.resolve().resolvedType);
  const make = protobuf.encoder(type) as (scope: object) => protobuf.Type['encode'];
  type.encode = make({ Writer: protobuf.Writer, types, util: protobuf.util });
}

const wrapper = /^\.google\.protobuf\.(?:Bool|U?Int(?:32|64)|Double|Float|String|Bytes)Value$/;

function message(typeOf: TypeOf, type: protobuf.Type, json: JsonValue, path: string): Record<string, unknown> {
  prepare(type);
  if (type.fullName === '.google.protobuf.Duration') return duration(json, path);
  if (wrapper.test(type.fullName)) return { value: json };
  if (!isObject(json)) throw new Error(`${path}: expected an object`);
  if (type.fullName === '.google.protobuf.Struct') return struct(json, path);
  if (type.fullName === '.google.protobuf.Any') return any(typeOf, json, path);
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    if (value === undefined) continue;
    const field = type.fields[key];
    if (field === undefined) throw new Error(`${path}.${key}: ${type.fullName} has no such field`);
    fields[key] = fieldValue(typeOf, field.resolve(), value, `${path}.${key}`);
  }
  return fields;
}

/** Of texts alone: no more is needed. */
function struct(json: JsonObject, path: string): Record<string, unknown> {
  const fields = Object.entries(json).map(([key, value]) => {
    if (typeof value !== 'string') throw new Error(`${path}.${key}: expected a text`);
    return [key, { stringValue: value }];
  });
  return { fields: Object.fromEntries(fields) };
}

function any(typeOf: TypeOf, json: JsonObject, path: string): Record<string, unknown> {
  const { '@type': url, ...fields } = json;
  if (typeof url !== 'string') throw new Error(`${path}: an Any needs its @type`);
  return { type_url: url, value: encode(typeOf, url.slice(url.indexOf('/') + 1), fields, path) };
}

function fieldValue(typeOf: TypeOf, field: protobuf.Field, json: JsonValue, path: string): unknown {
  if (field instanceof protobuf.MapField) {
    if (!isObject(json)) throw new Error(`${path}: expected an object`);
    return Object.fromEntries(
      Object.entries(json).map(([key, value]) => [key, single(typeOf, field, value ?? '', `${path}.${key}`)]),
    );
  }
  if (!field.repeated) return single(typeOf, field, json, path);
  if (!Array.isArray(json)) throw new Error(`${path}: expected a list`);
  return json.map((item: JsonValue, index) => single(typeOf, field, item, `${path}[${index}]`));
}

function single(typeOf: TypeOf, field: protobuf.Field, json: JsonValue, path: string): unknown {
  const type = field.resolvedType;
  if (type instanceof protobuf.Type) return message(typeOf, type, json, path);
  if (type instanceof protobuf.Enum) {
    const number = typeof json === 'string' ? type.values[json] : undefined;
    if (number === undefined) throw new Error(`${path}: ${type.fullName} has no value ${JSON.stringify(json)}`);
    return number;
  }
  if (typeof json === 'object') throw new Error(`${path}: expected a ${field.type}`);
  return json;
}

function duration(json: JsonValue, path: string): Record<string, unknown> {
  const match = /^(\d+)(?:\.(\d{1,9}))?s$/.exec(typeof json === 'string' ? json : '');
  if (match === null) throw new Error(`${path}: expected a duration such as 1.5s`);
  return { seconds: Number(match[1]), nanos: Number((match[2] ?? '').padEnd(9, '0')) };
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === 'object' && !Array.isArray(json);
}
