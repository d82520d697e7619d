/** Every collection the operator follows, as stores. What others write into is followed as metadata alone: no Secret is copied. */
import type * as api from '../../api/types.generated.ts';
import { gatewayName, managedBy, managerLabel, nameLabel, siteLabel } from '../../infrastructure/kubernetes/names.ts';
import type { KubeClient } from '../../resources/kubernetes/client.ts';
import {
  type Change,
  type Reflector,
  type ReflectorHooks,
  startReflector,
} from '../../resources/kubernetes/reflector.ts';
import {
  ConfigMap,
  DrimboxSite,
  type KubeObject,
  NetworkPolicy,
  PacsLink,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  type ResourceKind,
  Secret,
  Service,
  StatefulSet,
  TrustSpace,
} from '../../resources/kubernetes/resource-kind.ts';
import type { Indexer } from '../../resources/kubernetes/store.ts';
import type { PemPair } from '../../trust/internal-authority.ts';
import { type GatewayPodFacts, podFacts } from './pod-facts.ts';

/** With the label of whoever made it. */
const ownSelector = `${managerLabel}=${managedBy}`;
/** Secrets in which the operator remembers what it planned for a site. */
export const memoryLabel = 'drimbox.dev/memory';
export const documentLabel = 'drimbox.dev/document';
/** What one replica tells the others. */
export const replicaLabel = 'drimbox.dev/replica';

/** Sound by the schemas that the types are generated from: the API server lets nothing else in. */
export type TrustSpaceObject = api.TrustSpace & KubeObject;
export type SiteObject = api.DrimboxSite & KubeObject;
export type LinkObject = api.PacsLink & KubeObject;

export interface DataObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** A Secret in which a site is remembered. */
export interface MemoryObject extends DataObject {
  /** Its certificate of the internal hop, no more in `data`. */
  readonly identity?: PemPair;
}

export interface ServiceObject extends KubeObject {
  readonly spec?: { readonly clusterIP?: string };
}

export interface Watches {
  readonly trustSpaces: Reflector<TrustSpaceObject>;
  readonly sites: Reflector<SiteObject>;
  readonly links: Reflector<LinkObject>;
  /** All of the namespaces, metadata only. */
  readonly secrets: Reflector<KubeObject>;
  readonly configMaps: Reflector<KubeObject>;
  /** What the operator remembers of each site, but the plans. */
  readonly memories: Reflector<MemoryObject>;
  /** Its own documents in its own namespace, whole. */
  readonly documents: Reflector<DataObject>;
  /** What the replicas tell of their proxies, whole. */
  readonly replicas: Reflector<DataObject>;
  /** Made by us, the rest of a site. */
  readonly services: Reflector<ServiceObject>;
  readonly statefulSets: Reflector<KubeObject>;
  readonly claims: Reflector<KubeObject>;
  readonly policies: Reflector<KubeObject>;
  readonly budgets: Reflector<KubeObject>;
  readonly pods: Reflector<GatewayPodFacts>;
  /** Settles when all were listed. */
  readonly synced: Promise<void>;
  /** What is there of an object of ours; undefined when it is not. */
  live(kind: ResourceKind, key: string): KubeObject | undefined;
  /** Ms since the longest-silent one was heard. */
  lastHeardMs(): number;
  stop(): Promise<void>;
}

export interface WatchesOptions {
  readonly client: KubeClient;
  readonly namespaces: readonly string[] | 'all';
  /** The operator's. */
  readonly namespace: string;
  readonly onChange: (kind: ResourceKind, change: Change<KubeObject>) => void;
  readonly onError: (kind: ResourceKind, error: unknown) => void;
  /** What is kept of a site's memory. */
  readonly keptOfMemory?: (secret: DataObject) => MemoryObject;
  readonly hooks?: (kind: ResourceKind) => ReflectorHooks;
}

const bySite: Readonly<Record<string, Indexer<KubeObject>>> = {
  site: ({ metadata }) => {
    const name = metadata.labels?.[siteLabel];
    return name === undefined ? [] : [`${metadata.namespace ?? ''}/${name}`];
  },
};

interface What {
  readonly labelSelector?: string;
  readonly metadataOnly?: boolean;
  readonly namespaces?: readonly string[] | 'all';
  readonly indexed?: boolean;
}

/** Of what others made it counts that it is there, and whether it is another than before. */
function oursOrVersion(object: KubeObject): KubeObject {
  if (object.metadata.labels?.[managerLabel] === managedBy) return object;
  const { name, namespace, uid, resourceVersion } = object.metadata;
  const known = {
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
  return { apiVersion: object.apiVersion, kind: object.kind, metadata: { name, ...known } };
}

export function startWatches(options: WatchesOptions): Watches {
  const { client, onChange, onError, hooks } = options;
  const own = options.namespaces === 'all' ? 'all' : [...new Set([...options.namespaces, options.namespace])];
  const follow = <T extends KubeObject>(kind: ResourceKind, what: What, transform?: (object: T) => T): Reflector<T> =>
    startReflector<T>({
      client,
      kind,
      namespaces: kind.namespaced ? (what.namespaces ?? own) : 'all',
      ...(what.labelSelector !== undefined && { labelSelector: what.labelSelector }),
      ...(what.metadataOnly !== undefined && { metadataOnly: what.metadataOnly }),
      ...(what.indexed === true && { indexers: bySite }),
      ...(transform !== undefined && { transform }),
      ...(hooks !== undefined && { hooks: hooks(kind) }),
      onChange: (change) => onChange(kind, change),
      onError: (error) => onError(kind, error),
    });
  const ours = { labelSelector: ownSelector, indexed: true };
  // Their generation tells of each change (countedKinds).
  const counted = { ...ours, metadataOnly: true };
  const watches = {
    trustSpaces: follow<TrustSpaceObject>(TrustSpace, {}),
    sites: follow<SiteObject>(DrimboxSite, {}),
    links: follow<LinkObject>(PacsLink, {}),
    secrets: follow(Secret, { metadataOnly: true }, oursOrVersion),
    configMaps: follow(ConfigMap, { metadataOnly: true }, oursOrVersion),
    memories: follow<MemoryObject>(Secret, { labelSelector: memoryLabel, indexed: true }, options.keptOfMemory),
    documents: follow<DataObject>(ConfigMap, { labelSelector: documentLabel, namespaces: [options.namespace] }),
    replicas: follow<DataObject>(ConfigMap, { labelSelector: replicaLabel, namespaces: [options.namespace] }),
    services: follow<ServiceObject>(Service, ours),
    statefulSets: follow(StatefulSet, counted),
    claims: follow(PersistentVolumeClaim, ours),
    policies: follow(NetworkPolicy, counted),
    budgets: follow(PodDisruptionBudget, counted),
    pods: follow<GatewayPodFacts>(Pod, { labelSelector: `${nameLabel}=${gatewayName}`, indexed: true }, podFacts),
  };
  const all: readonly Reflector<KubeObject>[] = Object.values(watches);
  const stores = new Map<string, Reflector<KubeObject>>([
    [TrustSpace.plural, watches.trustSpaces],
    [DrimboxSite.plural, watches.sites],
    [PacsLink.plural, watches.links],
    [Secret.plural, watches.secrets],
    [ConfigMap.plural, watches.configMaps],
    [Service.plural, watches.services],
    [StatefulSet.plural, watches.statefulSets],
    [PersistentVolumeClaim.plural, watches.claims],
    [NetworkPolicy.plural, watches.policies],
    [PodDisruptionBudget.plural, watches.budgets],
  ]);
  return {
    ...watches,
    synced: Promise.all(all.map(({ synced }) => synced)).then(() => undefined),
    live: (kind, key) => stores.get(kind.plural)?.store.get(key),
    lastHeardMs: () => Math.max(...all.map((reflector) => reflector.lastHeardMs())),
    async stop() {
      await Promise.all(all.map(async (reflector) => await reflector.stop()));
    },
  };
}
