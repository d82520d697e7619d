/**
 * A tar archive that has the same bytes whenever and wherever it is written: POSIX ustar (IEEE 1003.1-2017, pax), entries in the order
 * given, every time the same, owner root by number alone.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';

export type TarEntry =
  | { readonly kind: 'directory'; readonly name: string; readonly mode: number }
  | { readonly kind: 'link'; readonly name: string; readonly target: string }
  | { readonly kind: 'file'; readonly name: string; readonly mode: number; readonly content: Buffer | FileContent };

/** Content read from a file of this machine while the archive is written. */
export interface FileContent {
  readonly path: string;
}

export interface Written {
  /** `sha256:HEX` of the archive. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

const block = 512;

/**
 * Writes the archive to `file`.
 * @param time of every entry, in seconds since 1970
 * @throws Error when a name does not fit ustar (255 bytes, split at a slash), or a file changes its size meanwhile
 */
export function writeTar(file: string, entries: Iterable<TarEntry>, time: number): Written {
  const sink = { handle: openSync(file, 'w', 0o644), hash: createHash('sha256'), size: 0 };
  try {
    for (const entry of entries) writeEntry(sink, entry, time);
    write(sink, Buffer.alloc(2 * block));
  } finally {
    closeSync(sink.handle);
  }
  return { digest: `sha256:${sink.hash.digest('hex')}`, size: sink.size };
}

interface Sink {
  readonly handle: number;
  readonly hash: Hash;
  size: number;
}

function write(sink: Sink, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(sink.handle, bytes, written);
  sink.hash.update(bytes);
  sink.size += bytes.length;
}

function writeEntry(sink: Sink, entry: TarEntry, time: number): void {
  if (entry.kind !== 'file') {
    write(sink, header(entry, 0, time));
    return;
  }
  const { content } = entry;
  const size = Buffer.isBuffer(content) ? content.length : statSync(content.path).size;
  write(sink, header(entry, size, time));
  if (Buffer.isBuffer(content)) write(sink, content);
  else copy(sink, content.path, size);
  write(sink, Buffer.alloc((block - (size % block)) % block));
}

function copy(sink: Sink, path: string, size: number): void {
  const source = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(1024 * 1024);
    let left = size;
    for (let read = readSync(source, chunk); read > 0; read = readSync(source, chunk)) {
      write(sink, chunk.subarray(0, read));
      left -= read;
    }
    if (left !== 0) throw new Error(`${path} changed its size while it was read`);
  } finally {
    closeSync(source);
  }
}

const kinds = { file: '0', link: '2', directory: '5' } as const;

function header(entry: TarEntry, size: number, time: number): Buffer {
  const bytes = Buffer.alloc(block);
  const { name, prefix } = split(entry.kind === 'directory' ? `${entry.name}/` : entry.name);
  const target = entry.kind === 'link' ? entry.target : '';
  if (Buffer.byteLength(target) > 100)
    throw new Error(`${entry.name}: the target of a link may have 100 bytes: ${target}`);
  bytes.write(name, 0);
  octal(bytes, entry.kind === 'link' ? 0o777 : entry.mode, 100, 8);
  octal(bytes, 0, 108, 8);
  octal(bytes, 0, 116, 8);
  octal(bytes, size, 124, 12);
  octal(bytes, time, 136, 12);
  bytes.write('        ', 148); // the checksum counts its own field as blanks
  bytes.write(kinds[entry.kind], 156);
  bytes.write(target, 157);
  bytes.write('ustar\u000000', 257);
  octal(bytes, 0, 329, 8);
  octal(bytes, 0, 337, 8);
  bytes.write(prefix, 345);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148);
  return bytes;
}

function octal(bytes: Buffer, value: number, at: number, width: number): void {
  const text = value.toString(8).padStart(width - 1, '0');
  if (text.length > width - 1) throw new Error(`tar: ${value} does not fit ${width - 1} octal digits`);
  bytes.write(text, at);
}

/** A name of up to 100 bytes, or one split at a slash into a prefix of up to 155 and a name of up to 100. */
function split(name: string): { readonly name: string; readonly prefix: string } {
  if (Buffer.byteLength(name) <= 100) return { name, prefix: '' };
  for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)];
    if (rest !== '' && Buffer.byteLength(rest) <= 100 && Buffer.byteLength(prefix) <= 155)
      return { name: rest, prefix };
  }
  throw new Error(`tar: the name does not fit ustar: ${name}`);
}
