/** The gRPC edge: delta ADS and the access log service. What to say is decided in delta-stream.ts. */
import grpc from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import { breathe, ownTurn } from '../../turns.ts';
import { type ConnectionFailure, readFailures } from '../access-log.ts';
import type { ControlEndpoint, ControlTls, ProxyCount } from '../ingress-control.ts';
import {
  type Refusal,
  type StreamState,
  advance,
  forgive,
  isSettled,
  newStream,
  receive,
  standingRefusal,
} from './delta-stream.ts';
import { generation } from '../bootstrap.ts';
import { openDoor } from './door.ts';
import { service } from './service.ts';
import { type Snapshot, emptySnapshot } from './snapshot.ts';
import { type Outgoing, type WireRequest, framed, fromWire, isLarge, outgoing } from './wire.ts';

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
  /**
   * Settles when all proxies were told that can be told now: one after the other, each in a turn of its own.
   * @param version told with each response (`system_version_info`): from what made this snapshot
   */
  publish(snapshot: Snapshot, version: string): Promise<void>;
  proxies(): ProxiesSeen;
  readonly port: number | undefined;
  replaceTls(tls: ControlTls): void;
  /** Sends again what was refused. */
  forgive(): void;
  close(): void;
}

type Duplex = grpc.ServerDuplexStream<WireRequest, Outgoing>;

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

  const message = outgoing(root);
  const send = async (call: Duplex, state: StreamState): Promise<void> => {
    const messages = advance(state, snapshot).map((response) => message(response, snapshot, version));
    for (const one of messages) {
      if (isLarge(one)) await ownTurn();
      if (streams.has(call)) call.write(one);
    }
  };
  const told = (): void => {
    let all = streams.size > 0;
    for (const [call, state] of streams)
      if (isSettled(state, snapshot)) synchronised.add(call);
      else all = false;
    if (all) events.onSettled();
  };
  /** Those that may have something to be sent: megabytes each, so that whatever else waits has its turn between two of them. */
  const attended = new Set<Duplex>();
  const attendAll = async (): Promise<void> => {
    // A set goes on over what is added meanwhile.
    for (const call of attended) {
      await breathe();
      attended.delete(call);
      const state = streams.get(call);
      if (state !== undefined) await send(call, state);
    }
    told();
  };
  let attending: Promise<void> | undefined;
  const attend = async (calls: Iterable<Duplex>): Promise<void> => {
    for (const call of calls) attended.add(call);
    do {
      attending ??= attendAll().finally(() => (attending = undefined));
      await attending;
    } while (attended.size > 0);
  };

  const discover = (call: Duplex): void => {
    const state = newStream();
    streams.set(call, state);
    events.onProxies();
    call.on('data', (said: WireRequest) => {
      if (turnedAway(call, said, events) || !streams.has(call)) return;
      const request = fromWire(said);
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
      void attend([call]);
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
  const discovery = 'envoy.service.discovery.v3.AggregatedDiscoveryService';
  server.addService(service(root, discovery, 'DeltaAggregatedResources', framed), {
    DeltaAggregatedResources: discover,
  });
  server.addService(service(root, 'envoy.service.accesslog.v3.AccessLogService', 'StreamAccessLogs'), {
    StreamAccessLogs: listen,
  });
  const door = await openDoor(server, endpoint, (why, peer) => events.onTurnedAway(why, peer));
  return {
    async publish(next, made) {
      snapshot = next;
      version = made;
      for (const hear of early ?? []) hear();
      early = undefined;
      await attend(streams.keys());
      const standing = [...streams.values()].map((state) => standingRefusal(state, next)).find((refusal) => refusal);
      if (standing !== undefined) events.onRefused(standing);
    },
    proxies: () => ({
      connected: streams.size,
      acknowledged: [...streams.values()].filter((state) => isSettled(state, snapshot)).length,
      synchronised: [...streams.keys()].filter((call) => synchronised.has(call)).length,
    }),
    port: door.port,
    replaceTls: (tls) => door.replaceTls(tls),
    forgive() {
      for (const state of streams.values()) forgive(state);
      void attend(streams.keys());
    },
    close() {
      door.close();
      server.forceShutdown();
    },
  };
}

/** Ends the stream of a proxy that is not fit. @returns whether it did */
function turnedAway(call: Duplex, said: WireRequest, events: ControlPlaneEvents): boolean {
  const why = unfit(said);
  if (why === undefined) return false;
  events.onTurnedAway(why, said.node?.id ?? '');
  call.emit('error', { code: grpc.status.FAILED_PRECONDITION, details: why });
  return true;
}

/**
 * A proxy started with another bootstrap, by an operator of another version: what it is sent it could not take, and what it has it
 * would lose. It goes on with that until it is started anew. @returns why
 */
function unfit({ node }: WireRequest): string | undefined {
  if (node === undefined || node === null) return undefined; // it said who it is before
  const own = node.metadata?.fields?.['generation']?.stringValue;
  return own === generation
    ? undefined
    : `its bootstrap is of generation ${own ?? '1'}, not ${generation}: start it anew`;
}
