/** The gRPC edge: delta ADS and the access log service. What to say is decided in delta-stream.ts. */
import grpc from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import { type ConnectionFailure, readFailures } from '../access-log.ts';
import type { ControlEndpoint, ControlTls, ProxyCount } from '../ingress-control.ts';
import {
  type DeltaRequest,
  type DeltaResponse,
  type Refusal,
  type StreamState,
  advance,
  forgive,
  isSettled,
  newStream,
  receive,
  standingRefusal,
} from './delta-stream.ts';
import { openDoor } from './door.ts';
import { type Snapshot, emptySnapshot, typeOfUrl, typeUrl } from './snapshot.ts';

export interface ControlPlaneEvents {
  /** A proxy refused something that is still in the snapshot. */
  onRefused(refusal: Refusal): void;
  /** Every connected proxy holds the snapshot; may come again. */
  onSettled(): void;
  /** A proxy connected or went. */
  onProxies(): void;
  onConnectionFailure(failure: ConnectionFailure): void;
  /** A connection was not let in. */
  onTurnedAway(why: string, peer: string): void;
}

export interface ProxiesSeen extends ProxyCount {
  /** Connected ones that held everything once since they came: what they were given since, they say themselves. */
  readonly synchronised: number;
}

export interface ControlPlane {
  /** @param version told with each response (`system_version_info`): from what made this snapshot */
  publish(snapshot: Snapshot, version: string): void;
  proxies(): ProxiesSeen;
  readonly port: number | undefined;
  replaceTls(tls: ControlTls): void;
  /** Sends again what was refused. */
  forgive(): void;
  close(): void;
}

type Duplex = grpc.ServerDuplexStream<Record<string, unknown>, Record<string, unknown>>;

const hourMs = 3_600_000;
const channel: grpc.ServerOptions = {
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // A proxy that is gone without a word is no longer counted.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // grpc-js spreads it by a tenth. A proxy then comes again, maybe to another address of the name, with a certificate of today.
  'grpc.max_connection_age_ms': 12 * hourMs,
  'grpc.max_connection_age_grace_ms': 60_000,
};

/** @throws Error when the socket can't be made, or the TLS material is unusable */
export async function startControlPlane(
  endpoint: ControlEndpoint,
  root: protobuf.Root,
  events: ControlPlaneEvents,
): Promise<ControlPlane> {
  let snapshot: Snapshot = emptySnapshot;
  let version = '';
  /** Until something is published nobody is answered: an empty world would be an order to close. */
  let early: (() => void)[] | undefined = [];
  const streams = new Map<Duplex, StreamState>();
  const synchronised = new WeakSet<Duplex>();

  const send = (call: Duplex, state: StreamState): void => {
    for (const response of advance(state, snapshot)) call.write(toWire(response, snapshot, version));
  };
  const told = (): void => {
    let all = streams.size > 0;
    for (const [call, state] of streams)
      if (isSettled(state, snapshot)) synchronised.add(call);
      else all = false;
    if (all) events.onSettled();
  };

  const discover = (call: Duplex): void => {
    const state = newStream();
    streams.set(call, state);
    events.onProxies();
    call.on('data', (message: WireRequest) => {
      const request = fromWire(message);
      if (request === undefined) return; // a type we never refer to
      const hear = (): void => {
        const refusal = receive(state, request, snapshot);
        if (refusal !== undefined) events.onRefused(refusal);
      };
      if (early !== undefined) {
        early.push(hear);
        return;
      }
      hear();
      send(call, state);
      told();
    });
    const over = (): void => {
      if (!streams.delete(call)) return;
      events.onProxies();
      told(); // the one that went may have been the only one missing
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

  const server = new grpc.Server(channel);
  server.addService(
    service(root, 'envoy.service.discovery.v3.AggregatedDiscoveryService', 'DeltaAggregatedResources'),
    {
      DeltaAggregatedResources: discover,
    },
  );
  server.addService(service(root, 'envoy.service.accesslog.v3.AccessLogService', 'StreamAccessLogs'), {
    StreamAccessLogs: listen,
  });
  const door = await openDoor(server, endpoint, (why, peer) => events.onTurnedAway(why, peer));
  return {
    publish(next, made) {
      snapshot = next;
      version = made;
      for (const hear of early ?? []) hear();
      early = undefined;
      for (const [call, state] of streams) send(call, state);
      const standing = [...streams.values()].map((state) => standingRefusal(state, next)).find((refusal) => refusal);
      if (standing !== undefined) events.onRefused(standing);
      else told();
    },
    proxies: () => ({
      connected: streams.size,
      acknowledged: [...streams.values()].filter((state) => isSettled(state, snapshot)).length,
      synchronised: [...streams.keys()].filter((call) => synchronised.has(call)).length,
    }),
    port: door.port,
    replaceTls: (tls) => door.replaceTls(tls),
    forgive() {
      for (const [call, state] of streams) {
        forgive(state);
        send(call, state);
      }
    },
    close() {
      door.close();
      server.forceShutdown();
    },
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

function toWire(
  { type, nonce, resources, removed }: DeltaResponse,
  snapshot: Snapshot,
  version: string,
): Record<string, unknown> {
  return {
    system_version_info: version,
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
