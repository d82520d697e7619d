/** The resources in force, wherever they came from. Plain data; the same on a cluster and on one host. */
import type { DrimboxSite, PacsLink, TrustSpace } from '../api/types.generated.ts';

/**
 * Data of a Secret or ConfigMap: key to bytes. Text may stand as text: a certificate is then one string from the Secret to the
 * proxy, instead of bytes and their copies.
 */
export type KeyedData = Readonly<Record<string, Buffer | string>>;

export function textIn(value: Buffer | string): string {
  return typeof value === 'string' ? value : value.toString('utf8');
}

export function bytesIn(value: Buffer | string): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
}

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
