/** Open eHealth Integration Platform (Java): schema and profile validators of XDS.b, and a repository with registry we did not write. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../parts/ports.ts';
import { type Part, startProcess } from '../parts/process.ts';
import { judgeClasspath, runJudge } from './maven.ts';

export interface XdsVerdict {
  readonly file: string;
  readonly message?: string;
  /** `valid` or the first finding. */
  readonly schema?: string;
  readonly ipf?: string;
  readonly error?: string;
}

/** @param messages SOAP envelopes or bare bodies. French CX.5 and XON.7 are tolerated, all else is judged. */
export async function judgeXds(messages: readonly Uint8Array[]): Promise<readonly XdsVerdict[]> {
  const classpath = await judgeClasspath('ipf');
  const directory = await mkdtemp(join(tmpdir(), 'ipf-'));
  try {
    const files = messages.map((_, index) => join(directory, `${index}.xml`));
    for (const [index, file] of files.entries()) await writeFile(file, messages[index] ?? '');
    const output = await runJudge(classpath, 'XdsJudge', ['--fr', ...files]);
    const verdicts = output.split('\n').filter((line) => line.startsWith('{'));
    if (verdicts.length !== messages.length) throw new Error(`IPF gave ${verdicts.length} verdicts:\n${output}`);
    return verdicts.map((line) => JSON.parse(line) as XdsVerdict);
  } finally {
    await rm(directory, { recursive: true });
  }
}

export interface XdsServer {
  /** `/repository` is ITI-41, `/registry` ITI-18, `/retrieve` ITI-43; plain HTTP on loopback. */
  readonly url: string;
  readonly part: Part;
}

/** IPF's own endpoints on CXF: SOAP 1.2, MTOM, WS-Addressing; documents in memory. */
export async function startXdsServer(directory: string): Promise<XdsServer> {
  const classpath = await judgeClasspath('ipf');
  const port = await freePort();
  const logFile = join(directory, 'ipf-server.log');
  const part = await startProcess({
    name: 'ipf',
    command: 'java',
    args: ['-XX:TieredStopAtLevel=1', '-Xmx512m', '-cp', classpath, 'XdsServer', String(port)],
    logFile,
    ready: async () => (await fetch(`http://127.0.0.1:${port}/registry?wsdl`)).ok,
    readyTimeoutMs: 60_000,
  });
  return { url: `http://127.0.0.1:${port}`, part };
}
