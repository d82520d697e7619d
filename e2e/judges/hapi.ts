/** HAPI (HL7 v2, Java): a sender and a checker of HL7 that we did not write. Built once by Maven, kept in the user's cache. */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = join(import.meta.dirname, 'hapi');

export interface HapiVerdict {
  readonly file: string;
  /** Message structure HAPI recognised, e.g. ACK. */
  readonly structure?: string;
  /** Required fields missing, unknown segments, tables. */
  readonly defects?: readonly string[];
  readonly error?: string;
  readonly sent?: string;
  readonly sentId?: string;
  readonly ack?: string;
  readonly ackDefects?: readonly string[];
  readonly 'MSA-1'?: string;
  readonly 'MSA-2'?: string;
  readonly 'ERR-3-1'?: string;
  readonly 'MSH-18'?: string;
}

/** What HAPI makes of these messages, in their order. */
export async function checkHl7(messages: readonly Buffer[]): Promise<readonly HapiVerdict[]> {
  return await judge(['check'], messages);
}

/** Sends the messages to 127.0.0.1:port by HAPI's own MLLP client, and checks the answers. */
export async function sendHl7(port: number, messages: readonly Buffer[]): Promise<readonly HapiVerdict[]> {
  return await judge(['send', String(port)], messages);
}

async function judge(args: readonly string[], messages: readonly Buffer[]): Promise<readonly HapiVerdict[]> {
  const classes = await build();
  const directory = await mkdtemp(join(tmpdir(), 'hapi-'));
  try {
    const files = messages.map((_, index) => join(directory, `${index}.hl7`));
    for (const [index, file] of files.entries()) await writeFile(file, messages[index] ?? '');
    const classpath = `${join(classes, 'classes')}:${join(classes, 'lib')}/*`;
    const output = await lenient('java', ['-XX:TieredStopAtLevel=1', '-cp', classpath, 'Hl7Judge', ...args, ...files]);
    const verdicts = output.split('\n').filter((line) => line.startsWith('{'));
    if (verdicts.length !== messages.length) throw new Error(`HAPI gave ${verdicts.length} verdicts:\n${output}`);
    return verdicts.map((line) => JSON.parse(line) as HapiVerdict);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Exit code 1 only says that some message was not accepted: the verdicts tell which. */
async function lenient(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(command, args, { maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 1 && 'stdout' in error) return String(error.stdout);
    throw error;
  }
}

/** @returns the directory with `classes` and `lib`; the first caller builds, others wait for it. */
async function build(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'drimbox/judges/hapi');
  const sources = [join(source, 'pom.xml'), join(source, 'src/main/java/Hl7Judge.java')];
  const hash = createHash('sha256');
  for (const file of sources) hash.update(await readFile(file));
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
