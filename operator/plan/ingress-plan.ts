/**
 * What the ingress must do, said without a word of Envoy: one entry per FQDN (architecture §2, `ingress/`).
 * Everything is content, not file names: the same plan feeds SDS on a cluster and on one host.
 * Only links whose material parsed and matched are in it, so nothing here can make a proxy refuse (operator-anchors C.2 d).
 */

/** PEM of a leaf followed by its chain, and of the key that matches it (checked by the operator). */
export interface TlsIdentity {
  /** Where it comes from: `NAMESPACE/SECRET`; stable across rotations, fit to name an SDS secret. */
  readonly name: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  /** RFC 3339, the earliest end among leaf and chain; absent of internal ones, which renew themselves. */
  readonly notAfter?: string;
}

/** Whom the `db` FQDNs believe: one per TrustSpace, shared by its links. */
export interface ClientTrust {
  /** Name of the TrustSpace; fit to name an SDS validation context. */
  readonly name: string;
  /** Roots and intermediates, PEM. */
  readonly anchorsPem: string;
  /** One CRL for each authority in the anchors, PEM (operator-anchors C.4: one missing or expired refuses everyone). */
  readonly crlsPem: string;
}

/** A listener of a gateway, reached by mutual TLS under the internal CA. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  /** DNS SAN of the gateway's server certificate: verify it and send it as SNI. */
  readonly serverName: string;
}

/** Bounds on one FQDN. */
export interface IngressLimits {
  readonly maxConnections: number;
  readonly maxRequests: number;
}

interface IngressHostCommon {
  /** The FQDN: SNI and Host; unique in the plan. */
  readonly fqdn: string;
  /** `NAMESPACE/NAME` of the PacsLink. */
  readonly link: string;
  /** `NAMESPACE/NAME` of the DrimboxSite. */
  readonly site: string;
  readonly identity: TlsIdentity;
  readonly upstream: Upstream;
  readonly limits: IngressLimits;
}

/** WADO-RS: a client certificate is demanded, checked with CRLs, and forwarded as XFCC (SANITIZE_SET). */
export interface DbHost extends IngressHostCommon {
  readonly kind: 'db';
  /** `name` of one of {@link IngressPlan.trusts}. */
  readonly trust: string;
}

/** Viewer: server TLS only, no client certificate, XFCC removed. */
export interface ViHost extends IngressHostCommon {
  readonly kind: 'vi';
  /** CIDRs that may ask `/healthcheck/*` (ci-sis §11); empty: nobody. */
  readonly probeCidrs: readonly string[];
}

export type IngressHost = DbHost | ViHost;

export interface IngressPlan {
  /** Sorted by fqdn, so that equal plans are equal text. */
  readonly hosts: readonly IngressHost[];
  /** Sorted by name; exactly those that hosts refer to. */
  readonly trusts: readonly ClientTrust[];
  /** The ingress's own side of the hop to the gateways. */
  readonly internal: {
    /** Presented to the gateways; its DNS SAN is `serverName`. */
    readonly identity: TlsIdentity;
    readonly serverName: string;
    /** PEM of the internal CA, old and new during a rotation: verify the gateways with it. */
    readonly caPem: string;
  };
}
