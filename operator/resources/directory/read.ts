/** Reads the watched directory: YAML files anywhere in it, and Secrets and ConfigMaps as folders of files. */
import { type Dirent, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { KeyedData } from '../inventory.ts';

/** Beyond it a file is refused: a resource is at most 1.5 MB on a cluster. */
const maxFileBytes = 8 * 1024 * 1024;

export interface DirectoryContent {
  /** Relative name to text. */
  readonly files: ReadonlyMap<string, string>;
  /** `secrets/NAMESPACE/NAME/KEY`, keyed `NAMESPACE/NAME`. */
  readonly secrets: ReadonlyMap<string, KeyedData>;
  readonly configMaps: ReadonlyMap<string, KeyedData>;
}

/** @throws Error when the directory can't be read or a file is too large */
export function readDirectory(directory: string): DirectoryContent {
  const files = new Map<string, string>();
  for (const path of walk(directory)) {
    const name = relative(directory, path).split(sep).join('/');
    if (/^(secrets|configmaps)\//.test(name) || !/\.ya?ml$/.test(name)) continue;
    files.set(name, bytes(path).toString('utf8'));
  }
  return {
    files,
    secrets: folders(join(directory, 'secrets')),
    configMaps: folders(join(directory, 'configmaps')),
  };
}

function visible(entry: Dirent): boolean {
  return !entry.name.startsWith('.') && !entry.name.endsWith('~'); // editors' and mounts' own files
}

function* walk(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true }).filter(visible)) {
    const path = join(directory, entry.name);
    if (statSync(path).isDirectory()) yield* walk(path);
    else yield path;
  }
}

function folders(root: string): Map<string, KeyedData> {
  const found = new Map<string, KeyedData>();
  for (const namespace of list(root))
    for (const name of list(join(root, namespace))) {
      const folder = join(root, namespace, name);
      const keys = list(folder).filter((key) => statSync(join(folder, key)).isFile());
      found.set(`${namespace}/${name}`, Object.fromEntries(keys.map((key) => [key, bytes(join(folder, key))])));
    }
  return found;
}

/** Names in a folder that need not exist. */
function list(folder: string): string[] {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(visible)
    .map((entry) => entry.name)
    .toSorted();
}

function bytes(path: string): Buffer {
  const { size } = statSync(path);
  if (size > maxFileBytes) throw new Error(`${path}: ${size} bytes, at most ${maxFileBytes}: split it`);
  return readFileSync(path);
}
