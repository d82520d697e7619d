/** DCMTK's tools as DICOM peers. `nagle` is how the distribution ships them; `noDelay` sets TCP_NODELAY=1. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DicomPeer } from './orthanc.ts';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

export type DcmtkProfile = 'nagle' | 'noDelay';

export interface ToolResult {
  readonly exitCode: number;
  readonly output: string;
}

type Tool = 'echoscu' | 'findscu' | 'movescu' | 'storescu' | 'dcmdump' | 'dcmftest';

/** Runs a tool to its end. @returns its exit code and everything it printed */
export async function runDcmtk(
  tool: Tool,
  args: readonly string[],
  profile: DcmtkProfile = 'noDelay',
): Promise<ToolResult> {
  const options = { env: environment(profile), maxBuffer: 64 * 1024 * 1024, timeout: 120_000 };
  try {
    const { stdout, stderr } = await promisify(execFile)(tool, [...args], options);
    return { exitCode: 0, output: stdout + stderr };
  } catch (error) {
    // A tool that ran and failed is a result; one that could not run is not.
    if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') throw error;
    return {
      exitCode: error.code,
      output: `${String(Reflect.get(error, 'stdout'))}${String(Reflect.get(error, 'stderr'))}`,
    };
  }
}

/** `-aet CALLING -aec CALLED host port`, as every SCU tool wants it. */
export function peerArguments(peer: DicomPeer, callingAeTitle: string): string[] {
  return ['-aet', callingAeTitle, '-aec', peer.aeTitle, peer.host, String(peer.port)];
}

export interface StoreScp extends DicomPeer {
  readonly part: Part;
  /** Where it writes what it receives, bit-preserving; names are SOP Instance UIDs behind the modality. */
  readonly received: string;
  stop(): Promise<void>;
}

/** A destination for our own C-STORE. @param options more of storescp's, e.g. `--ignore` or `+xs` */
export async function startStoreScp(
  directory: string,
  profile: DcmtkProfile,
  options: readonly string[] = ['+xa', '+B'],
): Promise<StoreScp> {
  const received = join(directory, 'received');
  await mkdir(received, { recursive: true });
  const port = await freePort();
  const peer = { aeTitle: 'STORESCP', host: '127.0.0.1', port };
  const part = await startProcess({
    name: 'storescp',
    command: 'storescp',
    args: ['-aet', peer.aeTitle, '-pdu', '131072', '-od', received, ...options, String(port)],
    env: environment(profile),
    logFile: join(directory, 'storescp.log'),
    ready: async () => (await runDcmtk('echoscu', peerArguments(peer, 'READY'))).exitCode === 0,
  });
  return { ...peer, part, received, stop: () => part.stop() };
}

function environment(profile: DcmtkProfile): NodeJS.ProcessEnv {
  return { ...process.env, TCP_NODELAY: profile === 'noDelay' ? '1' : '0' };
}
