/** The gRPC edge: delta ADS and the access log service, on a Unix socket. What to say is decided in delta-stream.ts. */
import { rmSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import { type ConnectionFailure, readFailures } from '../access-log.ts';
import {
  type DeltaRequest,
  type DeltaResponse,
  type Refusal,
  type StreamState,
  advance,
  forgiven,
  isSettled,
  newStream,
  receive,
  standingRefusal,
} from './delta-stream.ts';
import { type Snapshot, emptySnapshot, typeOfUrl, typeUrl } from './snapshot.ts';

export interface ControlPlaneEvents {
  /** A proxy refused something that is still in the snapshot. */
  onRefused(refusal: Refusal): void;
  /** Every connected proxy holds the snapshot; may come again. */
  onSettled(): void;
  /** Number of connected proxies. */
  onProxies(count: number): void;
  onConnectionFailure(failure: ConnectionFailure): void;
}

export interface ControlPlane {
  publish(snapshot: Snapshot): void;
  /** Sends again what was refused. */
  forgive(): void;
  close(): void;
}

type Duplex = grpc.ServerDuplexStream<Record<string, unknown>, Record<string, unknown>>;

/** @throws Error when the socket can't be made */
export async function startControlPlane(
  socket: string,
  root: protobuf.Root,
  events: ControlPlaneEvents,
): Promise<ControlPlane> {
  let snapshot: Snapshot = emptySnapshot;
  const streams = new Map<Duplex, StreamState>();

  const send = (call: Duplex): void => {
    const { state, responses } = advance(streams.get(call) ?? newStream, snapshot);
    streams.set(call, state);
    for (const response of responses) call.write(toWire(response, snapshot));
  };
  const told = (): void => {
    if (streams.size > 0 && [...streams.values()].every((state) => isSettled(state, snapshot))) events.onSettled();
  };

  const discover = (call: Duplex): void => {
    streams.set(call, newStream);
    events.onProxies(streams.size);
    call.on('data', (message: WireRequest) => {
      const request = fromWire(message);
      if (request === undefined) return; // a type we never refer to
      const { state, refusal } = receive(streams.get(call) ?? newStream, request, snapshot);
      streams.set(call, state);
      if (refusal !== undefined) events.onRefused(refusal);
      send(call);
      told();
    });
    const over = (): void => {
      if (!streams.delete(call)) return;
      events.onProxies(streams.size);
    };
    call.on('end', () => {
      over();
      call.end();
    });
    call.on('error', over); // the proxy went; it comes again by itself
    call.on('cancelled', over);
  };
  const listen = (call: grpc.ServerReadableStream<Record<string, unknown>, Record<string, unknown>>): void => {
    call.on('data', (message) => {
      for (const failure of readFailures(message)) events.onConnectionFailure(failure);
    });
    call.on('error', () => undefined); // as above
  };

  const server = new grpc.Server({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 });
  server.addService(
    service(root, 'envoy.service.discovery.v3.AggregatedDiscoveryService', 'DeltaAggregatedResources'),
    {
      DeltaAggregatedResources: discover,
    },
  );
  server.addService(service(root, 'envoy.service.accesslog.v3.AccessLogService', 'StreamAccessLogs'), {
    StreamAccessLogs: listen,
  });
  rmSync(socket, { force: true }); // left by a process that was killed
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  return {
    publish(next) {
      snapshot = next;
      for (const call of streams.keys()) send(call);
      const standing = [...streams.values()].map((state) => standingRefusal(state, next)).find((refusal) => refusal);
      if (standing !== undefined) events.onRefused(standing);
      else told();
    },
    forgive() {
      for (const [call, state] of streams) {
        streams.set(call, forgiven(state));
        send(call);
      }
    },
    close: () => server.forceShutdown(),
  };
}

function service(root: protobuf.Root, name: string, method: string): grpc.ServiceDefinition {
  const { requestType, responseType, requestStream, responseStream } = definition(root, name, method);
  const serialize =
    (type: protobuf.Type) =>
    (value: Record<string, unknown>): Buffer =>
      Buffer.from(type.encode(value).finish());
  const deserialize =
    (type: protobuf.Type) =>
    (bytes: Buffer): Record<string, unknown> =>
      type.toObject(type.decode(bytes), { arrays: true, longs: Number });
  return {
    [method]: {
      path: `/${name}/${method}`,
      requestStream,
      responseStream,
      requestSerialize: serialize(requestType),
      requestDeserialize: deserialize(requestType),
      responseSerialize: serialize(responseType),
      responseDeserialize: deserialize(responseType),
    },
  };
}

function definition(
  root: protobuf.Root,
  name: string,
  method: string,
): {
  readonly requestType: protobuf.Type;
  readonly responseType: protobuf.Type;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
} {
  const found = root.lookupService(name).methods[method];
  const { resolvedRequestType, resolvedResponseType } = found ?? {};
  if (found === undefined || !resolvedRequestType || !resolvedResponseType)
    throw new Error(`${name} has no method ${method}`);
  return {
    requestType: resolvedRequestType,
    responseType: resolvedResponseType,
    requestStream: found.requestStream === true,
    responseStream: found.responseStream === true,
  };
}

/** `DeltaDiscoveryRequest` as decoded; absent fields are the protocol's empty values. */
interface WireRequest {
  readonly type_url?: string;
  readonly resource_names_subscribe: readonly string[];
  readonly resource_names_unsubscribe: readonly string[];
  readonly initial_resource_versions?: Readonly<Record<string, string>>;
  readonly response_nonce?: string;
  readonly error_detail?: { readonly message?: string } | null;
}

function fromWire(message: WireRequest): DeltaRequest | undefined {
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

function toWire({ type, nonce, resources, removed }: DeltaResponse, snapshot: Snapshot): Record<string, unknown> {
  return {
    type_url: typeUrl(type),
    nonce,
    removed_resources: removed,
    resources: [...resources].map(([name, version]) => ({
      name,
      version,
      resource: { type_url: typeUrl(type), value: snapshot[type].get(name)?.bytes },
    })),
  };
}
