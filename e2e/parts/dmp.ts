/** A DMP for tests and the demo: strict about what it accepts, honest about why it refuses, troubled on demand (ci-sis §5, §6). */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, setFault } from './dmp/faults.ts';
import { type DmpEntry, type DmpSubmission, openRegistry } from './dmp/registry.ts';
import { listen, SERVICES } from './dmp/server.ts';
import { openTrust } from './dmp/trust.ts';
import { freePort } from './ports.ts';
import { type Place, loopback } from './place.ts';
import { type Part, startProcess } from './process.ts';

export type { Fault, FaultKind } from './dmp/faults.ts';
export type { DmpEntry, DmpSubmission } from './dmp/registry.ts';

export interface DmpSimulatorConfig {
  /** State, documents, `requests/NNNN-<operation>.mime` and `.answer`. */
  readonly directory: string;
  /** A free one when absent. */
  readonly port?: number;
  /** Loopback unless told. */
  readonly place?: Place;
  /** SERV_SSL for the name of its place, PEM. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Authorities of AUTH_CLI, PEM bundle. */
  readonly clientCaFile: string;
  readonly crlFile?: string;
  /** Authorities of SIGN; those of clients when absent. */
  readonly signerCaFile?: string;
  readonly repositoryUniqueId?: string;
}

/** What is the same whether it runs in this process or in another. */
export interface DmpView {
  /** Base URL, up to `/services`. */
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  entries(): readonly DmpEntry[];
  /** KOS that are Approved. */
  approvedKos(): readonly DmpEntry[];
  submissions(): readonly DmpSubmission[];
  document(uniqueId: string): Buffer;
  /** Files of the requests received, in order, of one operation (`ITI-41`, `ITI-18`, `ITI-43`, `TD3.3c`) or of all. */
  requests(operation?: string): readonly string[];
  setFault(fault: Fault | undefined): void;
}

export interface DmpSimulator extends DmpView {
  /** As the patient does in his own DMP: the entry is there and nobody sees it. */
  hide(uniqueId: string): void;
  /** Refuses connections until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

export interface DmpProgram extends DmpView {
  readonly part: Part;
}

export async function startDmp(config: DmpSimulatorConfig): Promise<DmpSimulator> {
  mkdirSync(config.directory, { recursive: true });
  const registry = openRegistry(config.directory);
  const port = config.port ?? (await freePort());
  const desk = {
    directory: config.directory,
    registry,
    trust: openTrust(config.signerCaFile ?? config.clientCaFile, config.crlFile),
    repositoryUniqueId: config.repositoryUniqueId ?? '1.2.250.1.999.1.2',
    now: () => new Date(),
  };
  const held = await listen({ ...config, port }, desk);
  const close = async (): Promise<void> => {
    // a handshake cut now is nobody's news, and its journal may be gone
    held.server.removeAllListeners('tlsClientError');
    await held.end();
  };
  return {
    ...viewOf(config.directory, port, () => registry.state(), config.place),
    hide(uniqueId) {
      const entry = registry.byUniqueId(uniqueId);
      if (entry === undefined) throw new Error(`the DMP has no document ${uniqueId}`);
      registry.change(entry.entryUuid, { hidden: true });
    },
    pause: close,
    async resume() {
      if (!held.server.listening) Object.assign(held, await listen({ ...config, port }, desk));
    },
    close,
  };
}

/** What the program says when it listens. */
export const greeting = 'DMP simulator at';

/** The same in a process of its own, which can be killed; its state outlives it. */
export async function startDmpProgram(config: DmpSimulatorConfig): Promise<DmpProgram> {
  mkdirSync(config.directory, { recursive: true });
  const port = config.port ?? (await freePort());
  const configFile = join(config.directory, 'config.json');
  writeFileSync(configFile, JSON.stringify({ ...config, port }, null, 2));
  const part = await startProcess({
    name: 'dmp',
    command: process.execPath,
    args: [join(import.meta.dirname, 'dmp/main.ts'), '--config', configFile],
    logFile: join(config.directory, 'dmp.log'),
    // its last word of the start: it listens, and ends properly when it is asked to
    ready: (said) => said().includes(`${greeting} https:`),
  });
  const file = join(config.directory, 'registry.json');
  const state = (): { entries: readonly DmpEntry[]; submissions: readonly DmpSubmission[] } =>
    readdirSync(config.directory).includes('registry.json')
      ? (JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof state>)
      : { entries: [], submissions: [] };
  return { ...viewOf(config.directory, port, state), part };
}

function viewOf(
  directory: string,
  port: number,
  state: () => { readonly entries: readonly DmpEntry[]; readonly submissions: readonly DmpSubmission[] },
  { name }: Place = loopback,
): DmpView {
  const requests = join(directory, 'requests');
  return {
    url: `https://${name}:${port}${SERVICES}`,
    port,
    directory,
    entries: () => state().entries,
    approvedKos: () => state().entries.filter(({ kind, status }) => kind === 'kos' && status === 'approved'),
    submissions: () => state().submissions,
    document: (uniqueId) => readFileSync(join(directory, 'documents', uniqueId)),
    requests: (operation) =>
      readdirSync(requests)
        .filter((name) => name.endsWith(operation === undefined ? '.mime' : `-${operation}.mime`))
        .sort()
        .map((name) => join(requests, name)),
    setFault: (fault) => setFault(directory, fault),
  };
}
