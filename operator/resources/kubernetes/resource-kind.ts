/** The kinds of Kubernetes objects the operator works with, and their paths in the API. */

/** What every Kubernetes object has, as it stands in JSON. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
}

export interface ObjectMetadata {
  readonly name: string;
  /** Absent on cluster-scoped objects. */
  readonly namespace?: string;
  readonly uid?: string;
  /** Opaque: compared for equality only. */
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  /** RFC 3339. */
  readonly creationTimestamp?: string | null;
  /** RFC 3339; set once deletion was asked for. */
  readonly deletionTimestamp?: string;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ResourceKind {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** As in the path: `statefulsets`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const kindOf = (groupVersion: string, plural: string, kind: string, namespaced = true): ResourceKind => {
  const [group, version] = groupVersion.includes('/') ? groupVersion.split('/', 2) : ['', groupVersion];
  return { group: group ?? '', version: version ?? '', plural, kind, namespaced };
};

export const Namespace = kindOf('v1', 'namespaces', 'Namespace', false);
export const Secret = kindOf('v1', 'secrets', 'Secret');
export const ConfigMap = kindOf('v1', 'configmaps', 'ConfigMap');
export const Service = kindOf('v1', 'services', 'Service');
export const ServiceAccount = kindOf('v1', 'serviceaccounts', 'ServiceAccount');
export const Pod = kindOf('v1', 'pods', 'Pod');
export const PersistentVolumeClaim = kindOf('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim');
export const Event = kindOf('events.k8s.io/v1', 'events', 'Event');
export const StatefulSet = kindOf('apps/v1', 'statefulsets', 'StatefulSet');
export const Deployment = kindOf('apps/v1', 'deployments', 'Deployment');
export const NetworkPolicy = kindOf('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy');
export const PodDisruptionBudget = kindOf('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget');

/** Each change of their spec, and nothing else, raises `metadata.generation`: it need not be kept to be compared. */
export const countedKinds: ReadonlySet<ResourceKind> = new Set([StatefulSet, NetworkPolicy, PodDisruptionBudget]);
export const Lease = kindOf('coordination.k8s.io/v1', 'leases', 'Lease');
export const TrustSpace = kindOf('drimbox.dev/v1alpha1', 'trustspaces', 'TrustSpace', false);
export const DrimboxSite = kindOf('drimbox.dev/v1alpha1', 'drimboxsites', 'DrimboxSite');
export const PacsLink = kindOf('drimbox.dev/v1alpha1', 'pacslinks', 'PacsLink');

/** `apps/v1`, or `v1` in the core group. */
export function apiVersionOf(kind: ResourceKind): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/**
 * Path of a collection, an object or one of its subresources.
 * @param namespace left out for a namespaced kind: the collection over all namespaces; ignored for a cluster-scoped kind
 * @throws Error when an object of a namespaced kind is named without its namespace
 */
export function pathOf(kind: ResourceKind, namespace?: string, name?: string, subresource?: string): string {
  if (kind.namespaced && name !== undefined && (namespace === undefined || namespace === '')) {
    throw new Error(`${kind.kind} ${name}: its namespace is missing; objects of this kind live in a namespace`);
  }
  const parts = kind.group === '' ? ['api', kind.version] : ['apis', kind.group, kind.version];
  if (kind.namespaced && namespace !== undefined && namespace !== '') parts.push('namespaces', namespace);
  parts.push(kind.plural);
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined) parts.push(subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** Key of an object in stores and queues: `namespace/name`, or `name` for a cluster-scoped one. */
export function keyOf(object: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  const { name, namespace } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** The reverse of keyOf. */
export function splitKey(key: string): { readonly namespace?: string; readonly name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * Whether one version of a resource is surely older than another. They are numbers that grow (opaque by contract, comparable since
 * Kubernetes 1.35); of anything else nothing is known.
 */
export function isOlderVersion(version: string | undefined, than: string | undefined): boolean {
  return Number(version) < Number(than);
}
