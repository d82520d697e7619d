/** What all objects of a site say of whose they are. Pure. */
import type { DrimboxSite } from '../../api/types.generated.ts';
import type { OwnerReference } from '../../resources/kubernetes/resource-kind.ts';
import { labelsOf } from './names.ts';

export interface SiteMetadata {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
}

export function metadataOf(site: DrimboxSite): SiteMetadata {
  const { name, namespace } = site.metadata;
  return { namespace, labels: labelsOf(name), ownerReferences: [ownerOf(site)] };
}

export function ownerOf({ apiVersion, kind, metadata }: DrimboxSite): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}
