/** HAPI (HL7 v2, Java): a sender and a checker of HL7 that we did not write. Built once by Maven, kept in the user's cache. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judgeClasspath, runJudge } from './maven.ts';

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
  const classpath = await judgeClasspath('hapi');
  const directory = await mkdtemp(join(tmpdir(), 'hapi-'));
  try {
    const files = messages.map((_, index) => join(directory, `${index}.hl7`));
    for (const [index, file] of files.entries()) await writeFile(file, messages[index] ?? '');
    const output = await runJudge(classpath, 'Hl7Judge', [...args, ...files]);
    const verdicts = output.split('\n').filter((line) => line.startsWith('{'));
    if (verdicts.length !== messages.length) throw new Error(`HAPI gave ${verdicts.length} verdicts:\n${output}`);
    return verdicts.map((line) => JSON.parse(line) as HapiVerdict);
  } finally {
    await rm(directory, { recursive: true });
  }
}
