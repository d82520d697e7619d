/** The shared libraries a program loads, and the Debian packages they and other files come from. */
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

export interface Library {
  /** Where the loader looks for it: `/lib/x86_64-linux-gnu/libc.so.6`. */
  readonly place: string;
  /** The file behind it on this machine. */
  readonly file: string;
}

/** By place, sorted; the dynamic loader among them. @throws Error when one is missing on this machine */
export function librariesOf(programs: readonly string[]): Library[] {
  const found = new Map<string, Library>();
  for (const program of programs) {
    for (const line of execFileSync('ldd', [program], { encoding: 'utf8' }).split('\n')) {
      if (line.includes('not found')) throw new Error(`${program} needs a library that is not here: ${line.trim()}`);
      const place = /(\/\S+) \(0x/.exec(line)?.[1];
      if (place !== undefined) found.set(place, { place, file: realpathSync(place) });
    }
  }
  return [...found.values()].toSorted((a, b) => (a.place < b.place ? -1 : 1));
}

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** Packages that own the files, sorted by name. @throws Error when a file is of no package: images are built on Debian */
export function debianPackages(files: readonly string[]): DebianPackage[] {
  const owners = new Set(files.map(owner));
  const format = '${Package}\t${Version}\t${Architecture}\n';
  return execFileSync('dpkg-query', ['-W', '-f', format, ...owners], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
    .map(([name = '', version = '', architecture = '']) => ({ name, version, architecture }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** dpkg knows a file by the name it was packed under: with /usr before /lib, or without. */
function owner(file: string): string {
  for (const name of [file, file.replace(/^\/usr/, ''), `/usr${file}`]) {
    try {
      const [line = ''] = execFileSync('dpkg-query', ['-S', name], { encoding: 'utf8', stdio: 'pipe' }).split('\n');
      return line.slice(0, line.lastIndexOf(': '));
    } catch (error) {
      // status 1: not under this name; anything else is a fault
      if (!(error instanceof Error) || !('status' in error) || error.status !== 1) throw error;
    }
  }
  throw new Error(
    `${file} is of no Debian package: images take their libraries from Debian, so that each has a version`,
  );
}
