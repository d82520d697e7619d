/** The operator on one host: a watched directory, gateways and a proxy as processes, all state in one folder. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../common/observability/log.ts';
import { readDefinitions } from './api/schema.ts';
import { remembering } from './controllers/observe-trust.ts';
import { startReconciler } from './controllers/reconciler.ts';
import type { StatusDocument } from './controllers/status-document.ts';
import { leaveHost, stopHost } from './infrastructure/host/apply.ts';
import { writeFileAtomically } from './infrastructure/host/files.ts';
import { type EnvoyRunner, withoutIngress } from './infrastructure/host/ingress-runner.ts';
import { openRegister } from './infrastructure/host/register.ts';
import { type StateFolder, stateFolder } from './infrastructure/host/state-folder.ts';
import { createSupervisor } from './infrastructure/host/supervisor.ts';
import type { OperatorJournal } from './observability/journal.ts';
import { processEvent } from './observability/process-event.ts';
import { openDirectory } from './resources/directory/source.ts';
import { folderStore } from './trust/document-store.ts';
import { openFetcher } from './trust/fetch.ts';
import { identityJudge } from './trust/server-identities.ts';
import type { WhitelistVerifier } from './trust/whitelist-keeper.ts';

export interface HostOperatorOptions {
  /** Absolute. */
  readonly directory: string;
  /** Absolute; made when missing. */
  readonly stateDirectory: string;
  /** Where MLLP and DIMSE listen. */
  readonly siteAddress: string;
  /** Where the proxy listens. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly gatewayCommand: readonly [string, ...string[]];
  readonly software: { readonly name: string; readonly version: string };
  readonly verifyWhitelist: WhitelistVerifier;
  /** Absent: no proxy, and every PacsLink says so. */
  readonly envoy?: EnvoyRunner;
  readonly log: Log;
  readonly journal: OperatorJournal;
  readonly now: () => Date;
  readonly random: () => number;
  readonly onStatus?: (status: StatusDocument) => void;
  /** Gateways and proxy survive this process, also when it is killed. */
  readonly leaveRunning?: boolean;
  /** Between two looks at gateways and directory, ms. */
  readonly periodMs?: number;
}

export interface HostOperator {
  /** Looks at everything again now, and fetches list and CRLs again when asked to. */
  refresh(fetchAgain: boolean): void;
  /** The proxy first, then gateways; settles when all is gone. With `leaveRunning`, both go on. */
  stop(): Promise<void>;
}

/** @throws Error when another operator works on the same state folder, or the directory does not exist */
export async function startOnHost(options: HostOperatorOptions): Promise<HostOperator> {
  const { journal, log, now } = options;
  if (!existsSync(options.directory))
    throw new Error(`${options.directory} does not exist; make it, with the resources in it`);
  const state = stateFolder(options.stateDirectory);
  mkdirSync(state.root, { recursive: true, mode: 0o700 });
  takeLock(state);
  // What happens before the loop exists is seen by its first round.
  let trigger = (): void => undefined;
  const changed = (): void => trigger();
  const supervisor = createSupervisor({
    random: options.random,
    now: () => now().getTime(),
    register: openRegister(state.processesFile),
    leaveRunning: options.leaveRunning ?? false,
    onEvent: (event) => {
      journal.record(processEvent(event));
      changed();
    },
  });
  const context = { supervisor, folder: state.ingressFolder, listen: options.listen, onChange: changed };
  const ingress = (await options.envoy?.(context)) ?? withoutIngress();
  const fetcher = openFetcher(folderStore(state.fetchedFolder), changed, options.random);
  const source = openDirectory({
    directory: options.directory,
    definitions: readDefinitions(join(import.meta.dirname, '../crds')),
    acceptedFile: state.acceptedFile,
    now,
    onChange: changed,
    onWatchError: (error) =>
      log.write('warn', 'watching the directory failed, it is read every few seconds', { error: error.message }),
  });
  const trust = {
    fetcher,
    verify: remembering(options.verifyWhitelist),
    storeOf: (name: string) => folderStore(state.trustFolder(name)),
  };
  const reconciler = startReconciler({
    source,
    gather: {
      state,
      trust,
      judge: identityJudge(),
      supervisor,
      now,
      siteAddress: options.siteAddress,
      software: options.software,
    },
    host: {
      state,
      supervisor,
      ingress,
      gatewayCommand: options.gatewayCommand,
      onRemovalError: (site, error) =>
        log.write('error', 'files of a deleted site remain', { site, error: error.message }),
    },
    journal,
    onStatus: options.onStatus ?? (() => undefined),
    periodMs: options.periodMs ?? 5_000,
  });
  trigger = () => reconciler.trigger();
  return {
    refresh(fetchAgain) {
      if (fetchAgain) fetcher.refresh();
      reconciler.trigger();
    },
    async stop() {
      trigger = () => undefined;
      source.close();
      await reconciler.stop();
      await (options.leaveRunning === true ? leaveHost : stopHost)({ supervisor, ingress });
      await fetcher.settled();
      rmSync(state.lockFile, { force: true });
    },
  };
}

/** Two operators on one state folder would start every gateway twice. */
function takeLock({ lockFile, root }: StateFolder): void {
  const holder = existsSync(lockFile) ? Number(readFileSync(lockFile, 'utf8')) : 0;
  if (holder > 0 && holder !== process.pid && isOperator(holder))
    throw new Error(`an operator (process ${holder}) already works on ${root}; stop it or use another --state`);
  writeFileAtomically(lockFile, String(process.pid));
}

/** The number may have gone to another program since: only a Node process counts. */
function isOperator(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('operator');
  } catch {
    return false; // no such process
  }
}
