/** Images of this checkout, built once for all tests that need them: the same sources give the same bytes. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache/images');
/** All that images/build.ts reads of this checkout, but the installed packages, which the lock file stands for. */
const sources = ['common', 'crds', 'gateway', 'images', 'operator', 'package.json', 'package-lock.json'];
const staleMs = 3_600_000;

/** @returns archives (OCI) of operator, gateway and envoy */
export async function buildImages(): Promise<string[]> {
  const folder = join(cache, digestOfSources());
  if (!existsSync(folder)) await build(folder);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.tar'))
    .map((name) => join(folder, name));
}

async function build(folder: string): Promise<void> {
  const output = `${folder}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache))
    if (Date.now() - statSync(join(cache, name)).mtimeMs > staleMs)
      rmSync(join(cache, name), { recursive: true, force: true });
  const script = join(root, 'images/build.ts');
  await run(process.execPath, ['--disable-warning=ExperimentalWarning', script, '--output', output], {
    maxBuffer: 1 << 24,
  });
  try {
    renameSync(output, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(output, { recursive: true, force: true }); // another test was quicker
  }
}

function digestOfSources(): string {
  const hash = createHash('sha256')
    .update(process.version)
    .update(process.env['DRIMBOX_ENVOY'] ?? '');
  for (const file of sources.flatMap(filesIn).toSorted())
    hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 24);
}

function filesIn(path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => filesIn(join(path, name)));
}
