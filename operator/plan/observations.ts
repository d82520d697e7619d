/** All that planning may know: resources in force, the material they refer to as read and checked, and what runs. Plain data. */
import type { GatewayStatus } from '../../common/contract/gateway-status.ts';
import type { Inventory } from '../resources/inventory.ts';
import type { TlsIdentity } from './ingress-plan.ts';

/** Something a resource refers to: there and usable, or why not. */
export type Resolved<T> =
  ({ readonly ok: true } & T) | { readonly ok: false; readonly reason: string; readonly message: string };

/** A certificate with its key, parsed and matching. */
export interface IdentityMaterial {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** RFC 3339: the earliest end among leaf and chain. */
  readonly notAfter: string;
  /** DNS names of the leaf, lower case. */
  readonly names: readonly string[];
}

/** A key that was made here and waits for its certificate. */
export interface PendingRequest {
  readonly kind: 'db' | 'vi';
  readonly fqdn: string;
  /** PEM, RFC 2986. */
  readonly csr: string;
  /** RFC 3339. */
  readonly requestedAt: string;
}

export interface PemText {
  readonly pem: string;
}

export interface WhitelistObservation {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** DateDeGeneration of the list in force. */
  readonly generatedAt?: string;
  readonly fetchedAt?: string;
  readonly domains?: number;
}

/** What a TrustSpace refers to. */
export interface TrustObservation {
  readonly anchors: Resolved<PemText>;
  /** `nextUpdate` is the earliest. */
  readonly crls: Resolved<PemText & { readonly nextUpdate: string }>;
  readonly dmpTrust: Resolved<PemText>;
  /** Absent when introspection is disabled. */
  readonly introspectionTrust?: Resolved<PemText>;
  readonly introspectionClient?: Resolved<IdentityMaterial>;
  readonly whitelist: WhitelistObservation;
}

/** A gateway as seen from outside. */
export interface GatewayObservation {
  readonly running: boolean;
  /** Times it died since it was last stable. */
  readonly restarts: number;
  /** How it ended last and what it said, when it is not running. */
  readonly lastEnd?: string;
  /** Why it can't run yet, in the cluster's words (image missing, no room on a node, ...). */
  readonly waiting?: { readonly reason: string; readonly message: string };
  /** Its answer to GET /status; absent when it gave none. */
  readonly status?: GatewayStatus;
}

/** One of several gateways of a site. */
export interface ReplicaObservation {
  /** Of its pod, for messages. */
  readonly name: string;
  /** Absent while it is being made. */
  readonly gateway?: GatewayObservation;
}

/** The database that holds a site's archive, as far as it can be judged from here: only its gateways connect to it. */
export interface DatabaseObservation {
  readonly credentials: Resolved<{ readonly user: string; readonly password: string }>;
  /** Authorities of the server's certificate. */
  readonly trust: Resolved<PemText>;
}

/** Per PacsLink, what the proxy said of it. */
export interface IngressObservation {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** Where a gateway listens. On one host MLLP and DIMSE are where the site says; behind a Service the pod has its own. */
export interface SitePorts {
  readonly wado: number;
  readonly viewer: number;
  readonly admin: number;
  readonly mllp?: number;
  readonly dimse?: number;
}

/** Where things are put; a host and a cluster differ here and nowhere else. */
export interface Layout {
  /** Absolute path at which a gateway finds a file of its plan. */
  fileOf(site: string, name: string): string;
  /** Absolute path at which gateways find the whitelist of a TrustSpace; need not exist yet. */
  whitelistFile(trustSpace: string): string;
  dataDirectory(site: string): string;
  /** Where MLLP and DIMSE listen. */
  readonly siteAddress: string;
  /** Where WADO, viewer and admin listen, and the ingress finds them. */
  readonly gatewayAddress: string;
  portsOf(site: string): SitePorts;
  /** Where the ingress reaches a gateway, when it is not where the gateway listens; undefined: not known yet. */
  readonly upstreamOf?: (site: string) => string | undefined;
  /** True when all sites share one address, so that two can't have the same port. */
  readonly sharedPorts: boolean;
}

/** The internal authority of the hop from ingress to gateways. */
export interface InternalIdentities {
  readonly caPem: string;
  readonly ingress: { readonly identity: TlsIdentity; readonly serverName: string };
  /** Site to its server identity. */
  readonly gateways: ReadonlyMap<string, { readonly identity: TlsIdentity; readonly serverName: string }>;
}

/** What planning goes by: all but what proxies say of a plan, which can be asked only once it is published. */
export interface Gathered {
  readonly now: Date;
  readonly inventory: Inventory;
  /** Name of TrustSpace to what it refers to. */
  readonly trusts: ReadonlyMap<string, TrustObservation>;
  /** `NAMESPACE/SECRET`, for every Secret that sites and links name. */
  readonly identities: ReadonlyMap<string, Resolved<IdentityMaterial>>;
  /**
   * `LINK KIND` to its certificate, judged for its name (trust/server-identities.ts); absent: `identities` count as they are.
   */
  readonly servers?: ReadonlyMap<string, Resolved<IdentityMaterial>>;
  /** PacsLink to the requests that wait for their certificate. */
  readonly requests?: ReadonlyMap<string, readonly PendingRequest[]>;
  readonly internal: InternalIdentities;
  readonly gateways: ReadonlyMap<string, GatewayObservation>;
  /** Site to its gateways in order of their index, of sites that may have several; those are not in `gateways`. */
  readonly replicas?: ReadonlyMap<string, readonly ReplicaObservation[]>;
  /** Site to its database, of those that name one. */
  readonly databases?: ReadonlyMap<string, DatabaseObservation>;
  /** Site to why the cluster does not take what it is to be made of, in the cluster's words. */
  readonly unwritten?: ReadonlyMap<string, string>;
  readonly layout: Layout;
  readonly software: { readonly name: string; readonly version: string };
}

/** With what came of the plan: what statuses are made from. */
export interface Observations extends Gathered {
  /** PacsLink to what the proxies said, asked after the newest plan was published; absent: they have not spoken yet. */
  readonly ingress: ReadonlyMap<string, IngressObservation>;
}
