/** Which files of this repository a program takes along, and which packages they name. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';

const excluded = /(\.test\.ts|\.testing\.ts|\.md)$|(^|\/)(fixtures|testdata|golden|tests?)(\/|$)/;

/** Paths from `root`, sorted: no tests, no fixtures, no pages. */
export function sourceFiles(root: string, sources: readonly string[]): string[] {
  return sources
    .flatMap((source) => {
      if (statSync(join(root, source)).isFile()) return [source];
      return readdirSync(join(root, source), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
    })
    .filter((path) => !excluded.test(path))
    .toSorted();
}

/** Packages that the given files import (at run time, types aside), require or resolve; sorted. */
export function namedPackages(root: string, files: readonly string[]): string[] {
  const names = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => specifiers(readFileSync(join(root, file), 'utf8')))
    .filter((specifier) => /^[@a-z]/.test(specifier) && !specifier.startsWith('node:'))
    .map((specifier) => /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[1] ?? specifier);
  return [...new Set(names)].filter((name) => !builtinModules.includes(name)).toSorted();
}

/** What a module names: `import`, `export ... from`, `import()`, `require()`, `require.resolve()` and `new URL(x, import.meta.url)`. */
export function specifiers(text: string): string[] {
  const patterns = [
    /^\s*(?:import|export)\s+(?!type\s)[^;'"]*?from\s+['"]([^'"]+)['"]/gm,
    /^import\s+['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]/g,
    /\brequire(?:\.resolve)?\(\s*['"]([^'"]+)['"]/g,
    /\bcreateRequire\(import\.meta\.url\)\(\s*['"]([^'"]+)['"]/g,
  ];
  const urls = [...text.matchAll(/\bnew URL\(\s*['"]([^'"]+)['"],\s*import\.meta\.url/g)].map(
    (match) => `./${match[1]}`,
  );
  return [...urls, ...patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''))];
}
