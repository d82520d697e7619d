/** The layers of each image, lowest first; what changes least lies lowest, so an upgrade moves little. */
import { dirname, join } from 'node:path';
import type { Library } from './libraries.ts';
import type { LayerContent } from './oci.ts';
import { places, user } from './program.ts';
import type { TarEntry } from './tar.ts';

const [id] = user.split(':');

const etc: Readonly<Record<string, string>> = {
  '/etc/passwd': `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${id}:${id}:nonroot:/tmp:/sbin/nologin\n`,
  '/etc/group': `root:x:0:\nnonroot:x:${id}:\n`,
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** A program of this machine with what it needs of the system; no shell, nothing else. */
export function baseLayer(
  title: string,
  program: Library,
  libraries: readonly Library[],
  authorities: string,
): LayerContent {
  const files = [
    ...Object.entries(etc).map(([name, text]) => fileEntry(name, Buffer.from(text), 0o644)),
    ...libraries.map(({ place, file }) => fileEntry(place, { path: file }, 0o755)),
    fileEntry(program.place, { path: program.file }, 0o755),
    fileEntry(places.authorities, { path: authorities }, 0o644),
  ];
  const open: TarEntry = { kind: 'directory', name: 'tmp', mode: 0o1777 };
  return { title, entries: withFolders([...files, open]) };
}

/** @param files paths from `root`; they lie under /app in the image */
export function appLayer(title: string, root: string, files: readonly string[]): LayerContent {
  const entries = files.map((file) => fileEntry(`${places.app}/${file}`, { path: join(root, file) }, 0o644));
  return { title, entries: withFolders(entries) };
}

function fileEntry(place: string, content: Buffer | { readonly path: string }, mode: number): TarEntry {
  return { kind: 'file', name: place.slice(1), mode, content };
}

/** Every folder before what it holds, and all in the order of their names. */
function withFolders(entries: readonly TarEntry[]): TarEntry[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  for (const { name } of entries)
    for (let folder = dirname(name); folder !== '.'; folder = dirname(folder))
      if (!byName.has(folder)) byName.set(folder, { kind: 'directory', name: folder, mode: 0o755 });
  return [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
