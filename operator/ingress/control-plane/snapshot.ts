/** What a proxy should hold: encoded resources by type and name, each with the hash of its bytes as version. */
import { createHash } from 'node:crypto';

/** In the order in which a proxy must get them: what refers comes after what it refers to (operator-anchors C.1.7). */
export const resourceTypes = ['cluster', 'listener', 'secret'] as const;
export type ResourceType = (typeof resourceTypes)[number];

export interface Resource {
  readonly version: string;
  /** As it goes over the wire (wire.ts). */
  readonly bytes: Buffer;
  /** Those that a listener refers to. */
  readonly secrets?: readonly string[];
}

export type Snapshot = Readonly<Record<ResourceType, ReadonlyMap<string, Resource>>>;

export const emptySnapshot: Snapshot = { cluster: new Map(), listener: new Map(), secret: new Map() };

export const messages: Readonly<Record<ResourceType, string>> = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  listener: 'envoy.config.listener.v3.Listener',
  secret: 'envoy.extensions.transport_sockets.tls.v3.Secret',
};

export function typeUrl(type: ResourceType): string {
  return `type.googleapis.com/${messages[type]}`;
}

export function typeOfUrl(url: string): ResourceType | undefined {
  return resourceTypes.find((type) => typeUrl(type) === url);
}

export function versionOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
