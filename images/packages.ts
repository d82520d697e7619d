/** The npm packages a program needs, from package-lock.json, and what of each goes into an image. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export interface NpmPackage {
  /** `node_modules/a/node_modules/b`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** `sha512-BASE64`, of the archive it came in. */
  readonly integrity: string;
  /** SPDX expression. */
  readonly license: string;
}

type Lock = Readonly<Record<string, Locked>>;

/**
 * `names` and all they depend on, sorted by path.
 * @throws Error when a source names a package that package.json does not list as a dependency of the product
 */
export function packageClosure(root: string, names: readonly string[]): NpmPackage[] {
  const { packages: lock } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Lock;
  };
  const own = { ...lock['']?.dependencies, ...lock['']?.optionalDependencies };
  for (const name of names)
    if (own[name] === undefined) throw new Error(`${name} is imported but is no dependency in package.json`);
  const found = new Map<string, NpmPackage>();
  const visit = (name: string, from: string, optional: boolean): void => {
    const path = resolve(lock, name, from);
    const locked = path === undefined ? undefined : lock[path];
    if (path === undefined || locked === undefined || !existsSync(join(root, path))) {
      if (optional) return; // made for another platform, or left out on purpose
      throw new Error(`${name}, which ${from || 'the product'} needs, is not installed: npm ci`);
    }
    if (found.has(path) || name.startsWith('@types/')) return; // declarations are nothing at run time
    const { version = '', integrity = '', license = 'NOASSERTION' } = locked;
    found.set(path, { path, name, version, integrity, license });
    for (const each of Object.keys(locked.dependencies ?? {})) visit(each, path, false);
    for (const each of Object.keys(locked.optionalDependencies ?? {})) visit(each, path, true);
    for (const each of Object.keys(locked.peerDependencies ?? {}))
      visit(each, path, locked.peerDependenciesMeta?.[each]?.optional === true);
  };
  for (const name of names) visit(name, '', lock['']?.optionalDependencies?.[name] !== undefined);
  return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** As Node looks: in the node_modules of the package, then of each one around it, then at the top. */
function resolve(lock: Lock, name: string, from: string): string | undefined {
  const around: string[] = [];
  for (
    let at = from;
    at !== '';
    at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : ''
  )
    around.push(`${at}/node_modules/${name}`);
  return [...around, `node_modules/${name}`].find((path) => lock[path] !== undefined);
}

const wanted = /\.(js|cjs|mjs|json|wasm|node|proto)$|(^|\/)(LICEN[CS]E|NOTICE|COPYING)[^/]*$/i;
/** By the names of folders only at the top of a package: deeper, `doc` or `test` may be code it runs. */
const unwanted =
  /^(tests?|__tests__|docs?|examples?|benchmarks?|coverage|\.github)\/|(^|\/)(node_modules|musl[^/]*)\/|\.test\.c?js$/;

/** Paths from `root`, sorted: what runs here (Debian's C library, not musl), its data and its licence; no pages, tests, maps, declarations nor sources of other languages. */
export function packageFiles(root: string, { path }: NpmPackage): string[] {
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, path).length + 1))
    .filter((file) => wanted.test(file) && !unwanted.test(file))
    .map((file) => `${path}/${file}`)
    .toSorted();
}
