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
    ...contents(parts),
  }));
}

/** Text that is UTF-8 stays readable for whoever looks. */
function contents(parts: readonly PackedPart[]): Record<'data' | 'binaryData', Record<string, string>> {
  const data: Record<string, string> = {};
  const binaryData: Record<string, string> = {};
  for (const { name, bytes } of parts) {
    const text = textOf(bytes);
    if (text === undefined) binaryData[name] = bytes.toString('base64');
    else data[name] = text;
  }
  return { data, binaryData };
}

function sizeOf(parts: readonly PackedPart[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** The API server takes as text what YAML takes: UTF-8 without control characters. */
function textOf(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  return /[^\P{Cc}\t\n\r]/u.test(text) ? undefined : text;
}
