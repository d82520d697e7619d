/** Files as others read them at any moment: whole, and secret ones readable by their owner alone. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface WriteOptions {
  /** 0600 instead of 0644. */
  readonly secret?: boolean;
}

/** Written beside, synced, then renamed: a reader sees the former or the new content, never a part, also after a crash. */
export function writeFileAtomically(file: string, content: string | Uint8Array, options: WriteOptions = {}): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.new`;
  const handle = openSync(temporary, 'w', options.secret === true ? 0o600 : 0o644);
  try {
    const bytes = Buffer.from(content);
    for (let written = 0; written < bytes.length;) written += writeSync(handle, bytes, written);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
}

/** Leaves an equal file alone, so that watchers are not woken for nothing. Returns whether it wrote. */
export function writeWhenDifferent(file: string, content: string | Uint8Array, options: WriteOptions = {}): boolean {
  if (existsSync(file) && readFileSync(file).equals(Buffer.from(content))) return false;
  writeFileAtomically(file, content, options);
  return true;
}
