/** Envoy's configuration as the JSON form of its protobuf messages: what `envoy --mode validate` reads, and what a reviewer can diff. */
export type JsonValue = string | number | boolean | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** A resource with a name, as delta xDS moves them. */
export interface NamedResource extends JsonObject {
  readonly name: string;
}

/** An `Any`: the message with its type beside its fields. */
export function typed(type: string, fields: JsonObject): JsonObject {
  return { '@type': `type.googleapis.com/${type}`, ...fields };
}

/** An extension: its registered name and its configuration. */
export function extension(name: string, type: string, fields: JsonObject = {}): JsonObject {
  return { name, typed_config: typed(type, fields) };
}
