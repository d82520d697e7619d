/**
 * IngressPlan -> Snapshot. What was encoded once for a host, a trust or an internal identity is kept as long as the very object is:
 * a change to one link encodes one link (quarantine.ts keeps equal objects). The listener is put together of its chains' bytes:
 * repeated fields of protobuf concatenate.
 */
import { breathe } from '../../turns.ts';
import protobuf from 'protobufjs';
import type { ClientTrust, IngressHost, IngressPlan } from '../../plan/ingress-plan.ts';
import { cluster } from '../resources/cluster.ts';
import { type ListenAddress, chain, listenerFrame } from '../resources/listener.ts';
import { certificateName, listenerName, trustName } from '../resources/names.ts';
import { certificateSecret, trustSecret } from '../resources/tls.ts';
import type { Encoder } from './encode.ts';
import { type ListenerParts, type Resource, type Snapshot, messages, versionOf } from './snapshot.ts';

interface EncodedHost {
  readonly certificate: Resource;
  /** A field of the listener: tag, length, bytes. */
  readonly chain: Resource;
  readonly secrets: readonly string[];
}

/** Wire type of a message within a message. */
const delimited = 2;

export type Snapshots = (plan: IngressPlan) => Promise<Snapshot>;

/** @throws Error (the returned function) with the path of what does not fit Envoy's API */
export function snapshots(root: protobuf.Root, encode: Encoder, address: ListenAddress): Snapshots {
  const chainTag = (root.lookupType(messages.listener).fields['filter_chains']?.id ?? 0) << 3;
  const frame = resource(encode(messages.listener, listenerFrame(address)));
  const hosts = new WeakMap<IngressHost, EncodedHost>();
  const trusts = new WeakMap<ClientTrust, Resource>();
  let internals = new WeakMap<IngressHost, Resource>();
  let internalOf: IngressPlan['internal'] | undefined;

  const encoded = (host: IngressHost): EncodedHost => {
    const bytes = encode('envoy.config.listener.v3.FilterChain', chain(host));
    const head = protobuf.Writer.create().uint32(chainTag | delimited);
    return {
      certificate: resource(encode(messages.secret, certificateSecret(host))),
      chain: resource(Buffer.from(head.bytes(bytes).finish())),
      secrets: [certificateName(host.fqdn), ...(host.kind === 'db' ? [trustName(host.trust)] : [])],
    };
  };

  const encodeOne = (host: IngressHost, internal: IngressPlan['internal'], clusters: typeof internals): boolean => {
    if (hosts.has(host) && clusters.has(host)) return false;
    if (!hosts.has(host)) hosts.set(host, encoded(host));
    clusters.set(host, resource(encode(messages.cluster, cluster(host, internal))));
    return true;
  };

  const listenerOf = (chains: readonly (readonly [string, EncodedHost])[]): Resource => {
    const parts: ListenerParts = {
      frame: frame.version,
      chains: new Map(
        chains.map(
          ([
            name,
            {
              chain: { version },
              secrets,
            },
          ]) => [name, { version, secrets }],
        ),
      ),
    };
    const version = versionOf([frame.version, ...chains.map(([, host]) => host.chain.version)].join());
    return {
      version,
      // Megabytes of a region: made when they are sent, kept by nobody.
      get bytes() {
        return Buffer.concat([frame.bytes, ...chains.map(([, host]) => host.chain.bytes)]);
      },
      parts,
    };
  };

  return async (plan) => {
    const { internal } = plan;
    if (internalOf !== internal) internals = new WeakMap();
    internalOf = internal;
    const clusters = internals;
    for (const host of plan.hosts) if (encodeOne(host, internal, clusters)) await breathe();
    const snapshot = { cluster: new Map<string, Resource>(), secret: new Map<string, Resource>() };
    const chains: (readonly [string, EncodedHost])[] = [];
    const used = new Set<string>();
    for (const host of plan.hosts) {
      const [own, upstream] = [hosts.get(host), clusters.get(host)];
      if (own === undefined || upstream === undefined) throw new Error(`${host.fqdn} was not encoded`);
      snapshot.cluster.set(host.fqdn, upstream);
      snapshot.secret.set(certificateName(host.fqdn), own.certificate);
      chains.push([host.fqdn, own]);
      if (host.kind === 'db') used.add(host.trust);
    }
    for (const trust of plan.trusts) {
      if (!used.has(trust.name)) continue;
      const secret = trusts.get(trust) ?? resource(encode(messages.secret, trustSecret(trust)));
      trusts.set(trust, secret);
      snapshot.secret.set(trustName(trust.name), secret);
    }
    // Envoy refuses a listener without chains.
    const listener = new Map(chains.length === 0 ? [] : [[listenerName, listenerOf(chains)]]);
    return { ...snapshot, listener };
  };
}

function resource(bytes: Buffer): Resource {
  return { bytes, version: versionOf(bytes) };
}
