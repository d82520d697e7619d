/**
 * Documents that may outgrow what a ConfigMap holds (1 MiB): small ones stand as they are; larger ones are compressed (RFC 1952) and
 * cut into parts, which a volume shows side by side as `NAME.gz.0`, `NAME.gz.1`... Unpacked they are the same bytes.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';

export interface PackedPart {
  /** Fit for a key of a ConfigMap and for a file. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** Below it a document is left readable. */
export const plainBytes = 200_000;
/** In base64 and with its metadata still well below what etcd takes in one request (1.5 MiB). */
export const partBytes = 700_000;
/** What one volume names: beyond it a document is refused by whoever would publish it. */
export const maxParts = 8;
/** Nothing we read is larger once unpacked: a list of the whole country is 1 MB, a CRL some megabytes. */
const maxUnpackedBytes = 64 * 1024 * 1024;

/** @throws Error when even compressed it does not fit into {@link maxParts} parts */
export function pack(name: string, bytes: Buffer): PackedPart[] {
  if (bytes.length <= plainBytes) return [{ name, bytes }];
  const packed = gzipSync(bytes);
  const count = Math.ceil(packed.length / partBytes);
  if (count > maxParts)
    throw new Error(
      `${name}: ${packed.length} bytes compressed, more than the ${maxParts * partBytes} that can be published`,
    );
  return Array.from({ length: count }, (_, index) => ({
    name: `${name}.gz.${index}`,
    bytes: packed.subarray(index * partBytes, (index + 1) * partBytes),
  }));
}

/**
 * The bytes that were packed, wherever they stand: `file` itself, or its parts beside it.
 * @throws Error with code ENOENT when there is neither, another when parts are missing or damaged (the checksum says so)
 */
export async function readPacked(file: string): Promise<Buffer> {
  if (!existsSync(firstPartOf(file))) return await readFile(file);
  const parts: Buffer[] = [];
  while (parts.length < maxParts && existsSync(`${file}.gz.${parts.length}`))
    parts.push(await readFile(`${file}.gz.${parts.length}`));
  return unpack(parts);
}

/** Where a document is when it is not in one piece. */
export function firstPartOf(file: string): string {
  return `${file}.gz.0`;
}

/** @throws Error when parts are missing, damaged, or larger than anything we read */
export function unpack(parts: readonly Buffer[]): Buffer {
  return gunzipSync(Buffer.concat(parts), { maxOutputLength: maxUnpackedBytes });
}
