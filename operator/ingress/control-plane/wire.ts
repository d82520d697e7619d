/**
 * Discovery messages as they go over the wire. A response is put together of bytes that were written when its resources were encoded,
 * and they are copied once, into what grpc-js hands to HTTP/2: of megabytes each copy more is a block, and memory taken anew.
 */
import protobuf from 'protobufjs';
import type { DeltaRequest, DeltaResponse } from './messages.ts';
import { type Resource, type ResourceType, type Snapshot, typeOfUrl, typeUrl, versionOf } from './snapshot.ts';

/** Wire type of a text or a message within a message. */
const delimited = 2;
const response = 'envoy.service.discovery.v3.DeltaDiscoveryResponse';

/** Tags of a message's delimited fields, by name. */
function tags<Name extends string>(
  root: protobuf.Root,
  type: string,
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const { fields } = root.lookupType(type);
  const found = names.map((name) => {
    const id = fields[name]?.id;
    if (id === undefined) throw new Error(`${type} has no field ${name}`);
    return [name, (id << 3) | delimited];
  });
  return Object.fromEntries(found) as Record<Name, number>;
}

export type ResourceMaker = (type: ResourceType, name: string, message: Buffer) => Resource;

/** @returns what makes a resource of its encoded message: a `resources` entry of a response, its tag and length included */
export function resources(root: protobuf.Root): ResourceMaker {
  const outer = tags(root, response, ['resources']);
  const inner = tags(root, 'envoy.service.discovery.v3.Resource', ['name', 'version', 'resource']);
  const any = tags(root, 'google.protobuf.Any', ['type_url', 'value']);
  return (type, name, message) => {
    const version = versionOf(message);
    const url = protobuf.Writer.create().uint32(any.type_url).string(typeUrl(type));
    const before = url.uint32(any.value).uint32(message.length).finish();
    const fields = protobuf.Writer.create().uint32(inner.name).string(name).uint32(inner.version).string(version);
    const head = fields
      .uint32(inner.resource)
      .uint32(before.length + message.length)
      .finish();
    const tag = protobuf.Writer.create().uint32(outer.resources);
    const start = tag.uint32(head.length + before.length + message.length).finish();
    return { version, bytes: joined([start, head, before, message]) };
  };
}

/** Bytes of their own, not cut from a pool: what is kept for weeks would keep the rest of its pool too. */
function joined(pieces: readonly Uint8Array[]): Buffer {
  const whole = Buffer.allocUnsafeSlow(lengthOf(pieces));
  write(pieces, whole, 0);
  return whole;
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function write(pieces: readonly Uint8Array[], target: Buffer, start: number): number {
  let at = start;
  for (const piece of pieces) {
    target.set(piece, at);
    at += piece.length;
  }
  return at - start;
}

/** What is told to a proxy: the beginning of the message, then its resources' bytes. */
export type Outgoing = readonly Uint8Array[];

/** To put it together takes milliseconds: most of it for memory that is new to the process. */
export function isLarge(message: Outgoing): boolean {
  return lengthOf(message) > 500_000;
}

/** @returns what makes a message of a response; `version` is told as `system_version_info` */
export function outgoing(root: protobuf.Root): (said: DeltaResponse, snapshot: Snapshot, version: string) => Outgoing {
  const type = root.lookupType(response);
  return (said, snapshot, version) => {
    const head = type.encode({
      system_version_info: version,
      type_url: typeUrl(said.type),
      nonce: said.nonce,
      removed_resources: said.removed,
    });
    const named = snapshot[said.type];
    return [head.finish(), ...[...said.resources.keys()].flatMap((name) => named.get(name)?.bytes ?? [])];
  };
}

/**
 * For grpc-js, which asks a message for its length and has it copied behind five bytes of its own (`serializeMessage`): there what is
 * in pieces is put together.
 */
export function framed(pieces: Outgoing): Buffer {
  return Object.defineProperties(Buffer.of(), {
    byteLength: { value: lengthOf(pieces) },
    copy: { value: (target: Buffer, start: number) => write(pieces, target, start) },
  });
}

/** `DeltaDiscoveryRequest` as decoded; absent fields are the protocol's empty values. */
export interface WireRequest {
  readonly type_url?: string;
  readonly resource_names_subscribe: readonly string[];
  readonly resource_names_unsubscribe: readonly string[];
  readonly initial_resource_versions?: Readonly<Record<string, string>>;
  readonly response_nonce?: string;
  readonly error_detail?: { readonly message?: string } | null;
  /** In the first of a stream. */
  readonly node?: {
    readonly id?: string;
    readonly metadata?: { readonly fields?: Readonly<Record<string, { readonly stringValue?: string }>> } | null;
  } | null;
}

/** @returns undefined for a type we never refer to */
export function fromWire(message: WireRequest): DeltaRequest | undefined {
  const type = typeOfUrl(message.type_url ?? '');
  if (type === undefined) return undefined;
  return {
    type,
    subscribe: message.resource_names_subscribe,
    unsubscribe: message.resource_names_unsubscribe,
    initialVersions: new Map(Object.entries(message.initial_resource_versions ?? {})),
    nonce: message.response_nonce ?? '',
    ...(message.error_detail && { error: message.error_detail.message ?? 'refused without a reason' }),
  };
}
