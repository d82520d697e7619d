/** Names that go over the wire. They never change for a given FQDN or TrustSpace: a rotated certificate keeps its name. */

export const listenerName = 'ingress';
export const controlPlaneCluster = 'control-plane';

/** One secret per FQDN, also when two links share a Secret: what breaks one must not reach the other. */
export function certificateName(fqdn: string): string {
  return `certificate/${fqdn}`;
}

export function trustName(trust: string): string {
  return `trust/${trust}`;
}

/** A secret that several chains use. */
export function isShared(secret: string): boolean {
  return secret.startsWith('trust/');
}
