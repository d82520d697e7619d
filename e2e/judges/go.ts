/** Judges written in Go: built once into the user's cache, under a lock, from the sources beside this file (seconds). */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @param name directory beside this file with a go.mod. @returns the program @throws Error with Go's words, or when Go is missing */
export async function goJudge(name: string): Promise<string> {
  const source = join(import.meta.dirname, name);
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'drimbox/judges', name);
  const hash = createHash('sha256');
  for (const file of (await readdir(source)).toSorted()) hash.update(await readFile(join(source, file)));
  const target = join(cache, hash.digest('hex').slice(0, 16));
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true });
  // flock is held by the child for as long as it builds; whoever comes second finds the work done.
  const script = '[ -x "$1" ] || { CGO_ENABLED=0 go build -trimpath -o "$1.new" . && mv "$1.new" "$1"; }';
  await run('flock', [join(cache, 'lock'), 'sh', '-c', script, 'sh', target], { cwd: source, maxBuffer: 16 << 20 });
  return target;
}
