/** Where the operator keeps what it fetched and verified: a folder on one host, ConfigMaps on a cluster. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhenDifferent } from '../infrastructure/host/files.ts';

export interface DocumentStore {
  read(name: string): Buffer | undefined;
  /** Leaves an equal one alone. */
  write(name: string, bytes: string | Uint8Array): void;
  remove(name: string): void;
}

/** @param folder absolute; made when missing. A name may have folders in it. */
export function folderStore(folder: string): DocumentStore {
  return {
    read: (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : undefined),
    write: (name, bytes) => void writeWhenDifferent(join(folder, name), bytes),
    remove: (name) => rmSync(join(folder, name), { force: true }),
  };
}

/** Part of a store under a name of its own. */
export function within(store: DocumentStore, folder: string): DocumentStore {
  const inside = (name: string): string => `${folder}/${name}`;
  return {
    read: (name) => store.read(inside(name)),
    write: (name, bytes) => store.write(inside(name), bytes),
    remove: (name) => store.remove(inside(name)),
  };
}
