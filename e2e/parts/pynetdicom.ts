/** pynetdicom as the second vendor's PACS: hierarchical queries only, 16 KB PDUs, and misbehaviour on demand. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runDcmtk, peerArguments } from './dcmtk.ts';
import type { DicomPeer } from './orthanc.ts';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

export interface Misbehaviour {
  /** The whole process dies after N instances of a C-MOVE. */
  readonly dropAfter?: number;
  readonly waitBeforeSeconds?: number;
  readonly waitBetweenSeconds?: number;
  /** Final status of every C-MOVE. */
  readonly failStatus?: number;
  /** Sends only the first N and says that this was all. */
  readonly omitAfter?: number;
}

export interface PynetdicomOptions {
  readonly directory: string;
  readonly logFile: string;
  readonly destinations: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  readonly misbehaviour?: Misbehaviour;
}

export interface PynetdicomPacs extends DicomPeer {
  readonly part: Part;
  stop(): Promise<void>;
}

const version = '3.0.4';

/** Where the launcher puts the package, importable through PYTHONPATH. */
function packages(): string {
  const given = process.env['DRIMBOX_PYTHONPATH'];
  if (given !== undefined) return given;
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(cache, 'drimbox', `pynetdicom-${version}`);
}

/** @throws Error saying how to install it when it is absent */
export async function startPynetdicom(options: PynetdicomOptions): Promise<PynetdicomPacs> {
  const path = packages();
  if (!existsSync(join(path, 'pynetdicom')))
    throw new Error(`pynetdicom ${version} is not in ${path}: start the tests by ./drimbox`);
  const peer = { aeTitle: 'PYNETDICOM', host: '127.0.0.1', port: await freePort() };
  const wrong = options.misbehaviour ?? {};
  const document = {
    port: peer.port,
    ae_title: peer.aeTitle,
    directory: options.directory,
    destinations: Object.fromEntries(
      Object.entries(options.destinations).map(([title, { host, port }]) => [title, [host, port]]),
    ),
    drop_after: wrong.dropAfter,
    wait_before: wrong.waitBeforeSeconds,
    wait_between: wrong.waitBetweenSeconds,
    fail_status: wrong.failStatus,
    omit_after: wrong.omitAfter,
  };
  const part = await startProcess({
    name: 'pynetdicom',
    command: 'python3',
    args: [join(import.meta.dirname, 'pynetdicom_pacs.py'), JSON.stringify(document)],
    env: { PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' },
    logFile: options.logFile,
    ready: async () => (await runDcmtk('echoscu', peerArguments(peer, 'READY'))).exitCode === 0,
  });
  return { ...peer, part, stop: () => part.stop() };
}
