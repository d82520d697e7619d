/** The resources in force, wherever they came from. Plain data; the same on a cluster and on one host. */
import type { DrimboxSite, PacsLink, TrustSpace } from '../api/types.generated.ts';

/** Data of a Secret or ConfigMap: key to bytes. */
export type KeyedData = Readonly<Record<string, Buffer>>;

export interface Inventory {
  readonly trustSpaces: readonly TrustSpace[];
  readonly sites: readonly DrimboxSite[];
  readonly links: readonly PacsLink[];
  /** `NAMESPACE/NAME` to data. */
  readonly secrets: ReadonlyMap<string, KeyedData>;
  readonly configMaps: ReadonlyMap<string, KeyedData>;
}

/** `NAMESPACE/NAME`, or `NAME` for what has no namespace. */
export function keyOf(resource: { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  const { namespace, name } = resource.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}
