/** Documents as ConfigMaps: as many as it takes, none above what one may hold. Pure. */
import { type PackedPart, maxParts, pack, partBytes } from '../../../common/contract/packed-file.ts';
import { isUtf8 } from 'node:buffer';
import type { ObjectMetadata } from '../../resources/kubernetes/resource-kind.ts';
import type { ApplyObject } from '../../resources/kubernetes/apply.ts';

export interface Document {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Names of all that there may be: a volume names them beforehand. */
export function configMapNames(first: string): string[] {
  return Array.from({ length: maxParts }, (_, index) => (index === 0 ? first : `${first}-${index}`));
}

/**
 * @param metadata of each, but the name
 * @throws Error when they don't fit into {@link maxParts} ConfigMaps
 */
export function toConfigMaps(
  first: string,
  metadata: Omit<ObjectMetadata, 'name'>,
  documents: readonly Document[],
): ApplyObject[] {
  const bins: PackedPart[][] = [];
  for (const part of documents.flatMap(({ name, bytes }) => pack(name, bytes))) {
    const bin = bins.find((parts) => sizeOf(parts) + part.bytes.length <= partBytes + 100_000);
    if (bin === undefined) bins.push([part]);
    else bin.push(part);
  }
  if (bins.length > maxParts) throw new Error(`${first}: more than ${maxParts} ConfigMaps would be needed`);
  const names = configMapNames(first);
  return bins.map((parts, index) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, name: names[index] ?? first },
    // Text that is UTF-8 stays readable for whoever looks.
    data: Object.fromEntries(
      parts.flatMap(({ name, bytes }) => (isText(bytes) ? [[name, bytes.toString('utf8')] as const] : [])),
    ),
    binaryData: Object.fromEntries(
      parts.flatMap(({ name, bytes }) => (isText(bytes) ? [] : [[name, bytes.toString('base64')] as const])),
    ),
  }));
}

function sizeOf(parts: readonly PackedPart[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** The API server takes as text what YAML takes: UTF-8 without control characters. */
function isText(bytes: Buffer): boolean {
  if (!isUtf8(bytes)) return false;
  return bytes.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}
