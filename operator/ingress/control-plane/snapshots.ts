/**
 * IngressPlan -> Snapshot. What was encoded once for a host, a trust or an internal identity is kept as long as the very object is:
 * a change to one link encodes one link (quarantine.ts keeps equal objects).
 */
import type protobuf from 'protobufjs';
import { breathe, inSlices, overAll } from '../../turns.ts';
import type { ClientTrust, IngressHost, IngressPlan } from '../../plan/ingress-plan.ts';
import { cluster } from '../resources/cluster.ts';
import { hostListener, passage } from '../resources/host-listener.ts';
import { type ListenAddress, publicListener } from '../resources/listener.ts';
import { certificateName, hostListenerName, listenerName, passageName, trustName } from '../resources/names.ts';
import { certificateSecret, trustSecret } from '../resources/tls.ts';
import type { Encoder } from './encode.ts';
import { type Resource, type Snapshot, messages } from './snapshot.ts';
import { resources } from './wire.ts';

/** What is of this host alone, whatever the rest of the plan. */
interface EncodedHost {
  readonly listener: Resource;
  readonly passage: Resource;
  readonly certificate: Resource;
}

export type Snapshots = (plan: IngressPlan) => Promise<Snapshot>;

/** @throws Error (the returned function) with the path of what does not fit Envoy's API */
export function snapshots(root: protobuf.Root, encode: Encoder, address: ListenAddress): Snapshots {
  const resource = resources(root);
  const open = resource('listener', listenerName, encode(messages.listener, publicListener(address)));
  const hosts = new WeakMap<IngressHost, EncodedHost>();
  const trusts = new WeakMap<ClientTrust, Resource>();
  let internals = new WeakMap<IngressHost, Resource>();
  let internalOf: IngressPlan['internal'] | undefined;

  function* encoded(host: IngressHost): Generator<undefined, EncodedHost, undefined> {
    const message = encode(messages.listener, hostListener(host, address.failures));
    yield undefined; // the first takes ten milliseconds: what writes such a message is made then
    const { fqdn } = host;
    const secrets = [certificateName(fqdn), ...(host.kind === 'db' ? [trustName(host.trust)] : [])];
    return {
      listener: { ...resource('listener', hostListenerName(fqdn), message), secrets },
      passage: resource('cluster', passageName(fqdn), encode(messages.cluster, passage(fqdn))),
      certificate: resource('secret', certificateName(fqdn), encode(messages.secret, certificateSecret(host))),
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
    const [cluster, listener, secret] = [
      new Map<string, Resource>(),
      new Map<string, Resource>(),
      new Map<string, Resource>(),
    ];
    const used = new Set<string>();
    const put = (host: IngressHost): void => {
      const [own, upstream] = [hosts.get(host), clusters.get(host)];
      const { fqdn } = host;
      if (own === undefined || upstream === undefined) throw new Error(`${fqdn} was not encoded`);
      cluster.set(fqdn, upstream);
      cluster.set(passageName(fqdn), own.passage);
      listener.set(hostListenerName(fqdn), own.listener);
      secret.set(certificateName(fqdn), own.certificate);
      if (host.kind === 'db') used.add(host.trust);
    };
    await inSlices(overAll(plan.hosts, put));
    for (const trust of plan.trusts) if (used.has(trust.name)) secret.set(trustName(trust.name), trustOf(trust));
    await breathe();
    // Nobody to let in: the port is closed.
    if (listener.size > 0) listener.set(listenerName, open);
    return { cluster, listener, secret };
  };
}
