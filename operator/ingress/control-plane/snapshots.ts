/**
 * IngressPlan -> Snapshot. What was encoded once for a host, a trust or an internal identity is kept as long as the very object is:
 * a change to one link encodes one link (quarantine.ts keeps equal objects). The listener is put together of its chains' bytes:
 * repeated fields of protobuf concatenate.
 */
import protobuf from 'protobufjs';
import { breathe, inSlices, overAll } from '../../turns.ts';
import type { ClientTrust, IngressHost, IngressPlan } from '../../plan/ingress-plan.ts';
import { cluster } from '../resources/cluster.ts';
import { type ListenAddress, chain, listenerFrame } from '../resources/listener.ts';
import { certificateName, listenerName, trustName } from '../resources/names.ts';
import { certificateSecret, trustSecret } from '../resources/tls.ts';
import type { Encoder } from './encode.ts';
import { type Chain, type Resource, type Snapshot, messages, versionOf } from './snapshot.ts';
import { entries, joined, resources } from './wire.ts';

interface EncodedHost {
  /** Of its certificate. */
  readonly name: string;
  readonly certificate: Resource;
  readonly chain: Chain;
  /** A field of the listener: tag, length, bytes. */
  readonly bytes: Buffer;
}

/** Wire type of a message within a message. */
const delimited = 2;

export type Snapshots = (plan: IngressPlan) => Promise<Snapshot>;

/** @throws Error (the returned function) with the path of what does not fit Envoy's API */
export function snapshots(root: protobuf.Root, encode: Encoder, address: ListenAddress): Snapshots {
  const chainTag = (root.lookupType(messages.listener).fields['filter_chains']?.id ?? 0) << 3;
  const frame = encode(messages.listener, listenerFrame(address));
  const frameVersion = versionOf(frame);
  const entry = entries(root);
  const resource = resources(root);
  const hosts = new WeakMap<IngressHost, EncodedHost>();
  const trusts = new WeakMap<ClientTrust, Resource>();
  let internals = new WeakMap<IngressHost, Resource>();
  let internalOf: IngressPlan['internal'] | undefined;

  function* encoded(host: IngressHost): Generator<undefined, EncodedHost, undefined> {
    const message = encode('envoy.config.listener.v3.FilterChain', chain(host));
    yield undefined; // the first takes ten milliseconds: what writes such a message is made then
    const bytes = joined([
      protobuf.Writer.create()
        .uint32(chainTag | delimited)
        .bytes(message)
        .finish(),
    ]);
    const name = certificateName(host.fqdn);
    const secrets = [name, ...(host.kind === 'db' ? [trustName(host.trust)] : [])];
    return {
      name,
      certificate: resource('secret', name, encode(messages.secret, certificateSecret(host))),
      chain: { version: versionOf(bytes), secrets },
      bytes,
    };
  }

  function* encodeOne(
    host: IngressHost,
    internal: IngressPlan['internal'],
    clusters: typeof internals,
  ): Generator<undefined, void, undefined> {
    if (!hosts.has(host)) hosts.set(host, yield* encoded(host));
    yield undefined;
    clusters.set(host, resource('cluster', host.fqdn, encode(messages.cluster, cluster(host, internal))));
    yield undefined;
  }

  const listenerOf = (chains: ReadonlyMap<string, Chain>, bytes: readonly Buffer[]): Resource => {
    const version = versionOf([frameVersion, ...[...chains.values()].map((one) => one.version)].join());
    const pieces = entry({ type: 'listener', name: listenerName, version, content: [frame, ...bytes] });
    return { version, pieces, parts: { frame: frameVersion, chains } };
  };

  const trustOf = (trust: ClientTrust): Resource => {
    const secret =
      trusts.get(trust) ?? resource('secret', trustName(trust.name), encode(messages.secret, trustSecret(trust)));
    trusts.set(trust, secret);
    return secret;
  };

  return async (plan) => {
    const { internal } = plan;
    if (internalOf !== internal) internals = new WeakMap();
    internalOf = internal;
    const clusters = internals;
    for (const host of plan.hosts)
      if (!hosts.has(host) || !clusters.has(host)) await inSlices(encodeOne(host, internal, clusters));
    const snapshot = { cluster: new Map<string, Resource>(), secret: new Map<string, Resource>() };
    const chains = new Map<string, Chain>();
    const bytes: Buffer[] = [];
    const used = new Set<string>();
    const put = (host: IngressHost): void => {
      const [own, upstream] = [hosts.get(host), clusters.get(host)];
      if (own === undefined || upstream === undefined) throw new Error(`${host.fqdn} was not encoded`);
      snapshot.cluster.set(host.fqdn, upstream);
      snapshot.secret.set(own.name, own.certificate);
      chains.set(host.fqdn, own.chain);
      bytes.push(own.bytes);
      if (host.kind === 'db') used.add(host.trust);
    };
    await inSlices(overAll(plan.hosts, put));
    for (const trust of plan.trusts)
      if (used.has(trust.name)) snapshot.secret.set(trustName(trust.name), trustOf(trust));
    await breathe();
    // Envoy refuses a listener without chains.
    const listener = new Map(bytes.length === 0 ? [] : [[listenerName, listenerOf(chains, bytes)]]);
    return { ...snapshot, listener };
  };
}
