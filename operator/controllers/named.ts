/** What resources name, wherever they are kept. */
import type { PacsLink } from '../api/types.generated.ts';
import type { PendingRequest } from '../plan/observations.ts';
import { type Inventory, keyOf } from '../resources/inventory.ts';
import type { CertificateStore } from '../trust/certificate-store.ts';
import { serverKinds } from '../trust/server-identities.ts';

/** `namespace/name` of every Secret with a certificate of a site or link. */
export function namedSecrets({ sites, links }: Pick<Inventory, 'sites' | 'links'>): Set<string> {
  const secrets = new Set<string>();
  for (const { metadata, spec } of sites)
    for (const { authentication, signature } of spec.dmp.certificates)
      for (const { secretName } of [authentication, signature]) secrets.add(`${metadata.namespace}/${secretName}`);
  for (const { metadata, spec } of links)
    for (const kind of serverKinds) secrets.add(`${metadata.namespace}/${spec[kind].certificate.secretName}`);
  return secrets;
}

/** `namespace/name` of every Secret and ConfigMap that says how a site reaches its database. */
export function databaseReferences(sites: Inventory['sites']): {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
} {
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  for (const { metadata, spec } of sites) {
    const { postgres } = spec.storage;
    if (postgres === undefined) continue;
    const { credentials, trust } = postgres;
    secrets.add(`${metadata.namespace}/${credentials.secretName}`);
    if (trust.secret !== undefined) secrets.add(`${metadata.namespace}/${trust.secret.name}`);
    if (trust.configMap !== undefined) configMaps.add(`${metadata.namespace}/${trust.configMap.name}`);
  }
  return { secrets, configMaps };
}

/** By link; those without a request are not in it. */
export function pendingRequests(
  links: readonly PacsLink[],
  certificates: Pick<CertificateStore, 'pending'>,
): Map<string, readonly PendingRequest[]> {
  const found = new Map<string, readonly PendingRequest[]>();
  for (const link of links) {
    const key = keyOf(link);
    const requests = serverKinds.flatMap((kind): PendingRequest[] => {
      const request = certificates.pending(key, kind);
      if (request === undefined) return [];
      return [{ kind, fqdn: link.spec[kind].fqdn, csr: request.csrPem, requestedAt: request.requestedAt }];
    });
    if (requests.length > 0) found.set(key, requests);
  }
  return found;
}
