/** Java judges: built once by Maven into the user's cache, under a lock, from the sources beside this file. */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @param name directory beside this file with a pom.xml. @returns the Java class path of what it builds. */
export async function judgeClasspath(name: string): Promise<string> {
  const target = await build(join(import.meta.dirname, name), name);
  return `${join(target, 'classes')}:${join(target, 'lib')}/*`;
}

/** Runs a judge's main class. Exit code 1 only says that something was found: what it printed tells what. */
export async function runJudge(classpath: string, mainClass: string, args: readonly string[]): Promise<string> {
  const java = ['-XX:TieredStopAtLevel=1', '-Xmx512m', '-cp', classpath, mainClass, ...args];
  try {
    return (await run('java', java, { maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 1 && 'stdout' in error) return String(error.stdout);
    throw error;
  }
}

async function build(source: string, name: string): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'drimbox/judges', name);
  const java = join(source, 'src/main/java');
  const files = [join(source, 'pom.xml'), ...(await readdir(java)).sort().map((file) => join(java, file))];
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  const target = join(cache, hash.digest('hex').slice(0, 16));
  if (await exists(target)) return target;
  await mkdir(cache, { recursive: true });
  // flock is held by the child for as long as it builds; whoever comes second finds the work done.
  const work = await mkdtemp(join(cache, 'build-'));
  try {
    await cp(source, work, { recursive: true });
    const script = '[ -d "$2" ] || { mvn -q -B -f "$1/pom.xml" process-classes && mv "$1/target" "$2"; }';
    await run('flock', [join(cache, 'lock'), 'sh', '-c', script, 'sh', work, target], { maxBuffer: 16 << 20 });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return target;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
