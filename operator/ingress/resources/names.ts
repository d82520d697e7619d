/** Names that go over the wire. They never change for a given FQDN or TrustSpace: a rotated certificate keeps its name. */

/** The public listener. */
export const listenerName = 'ingress';
export const controlPlaneCluster = 'control-plane';

/** The listener of one FQDN, within the proxy. */
export function hostListenerName(fqdn: string): string {
  return `host/${fqdn}`;
}

/** The cluster by which the public listener reaches it. The prefix keeps what a peer says as SNI from naming any other cluster. */
export function passageName(sni: string): string {
  return `sni/${sni}`;
}

/**
 * A name of ours as Envoy's series have it: a dot would end the label, and the rest would stand in the name of the series. No FQDN and no
 * name of Kubernetes has an underscore.
 */
export function seriesName(name: string): string {
  return name.replaceAll('.', '_');
}

/** One secret per FQDN, also when two links share a Secret: what breaks one must not reach the other. */
export function certificateName(fqdn: string): string {
  return `certificate/${seriesName(fqdn)}`;
}

export function trustName(trust: string): string {
  return `trust/${seriesName(trust)}`;
}

/** A secret that several listeners use. */
export function isShared(secret: string): boolean {
  return secret.startsWith('trust/');
}
