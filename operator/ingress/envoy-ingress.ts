/** An IngressPlan made real by one Envoy of this host: started, kept up, given its configuration over ADS, listened to. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../infrastructure/host/files.ts';
import type { EnvoyRunner, IngressContext, IngressRunner } from '../infrastructure/host/ingress-runner.ts';
import type { Program } from '../infrastructure/host/program.ts';
import type { IngressPlan } from '../plan/ingress-plan.ts';
import type { IngressObservation } from '../plan/observations.ts';
import { forgetAccepted, readAccepted, writeAccepted } from './accepted-file.ts';
import { askAdmin, drain } from './admin.ts';
import { bootstrap } from './bootstrap.ts';
import { versionOf } from './control-plane/snapshot.ts';
import { followFailures } from './failure-file.ts';
import type { IngressControlOptions, ProxyCount } from './ingress-control.ts';
import { proxyDown } from './observe.ts';
import type { JsonObject } from './resources/json.ts';
import { socketFolder } from './socket-folder.ts';
import { startIngressControl } from './start-control.ts';

export interface EnvoyOptions extends Pick<IngressControlOptions, 'onConnectionFailure' | 'onEvent' | 'retryMs'> {
  /** Absolute. */
  readonly binary: string;
  /** Asks the binary first (preflight.ts); true unless told. */
  readonly preflight?: boolean;
  /** How long answers under way may take when it is told to stop, ms. */
  readonly drainMs?: number;
}

const programName = 'envoy';
const maxFileBytes = 64 * 1024 * 1024;
/** A chain that goes asks its clients to go at once, and gives answers under way an hour: gigabytes on a slow link. */
const drainFlags = ['--drain-strategy', 'immediate', '--drain-time-s', '3600'];

export interface EnvoyIngress extends IngressRunner {
  proxies(): ProxyCount;
}

/** For the host operator: runs this Envoy with the context it is given. */
export function envoyRunner(options: EnvoyOptions): EnvoyRunner {
  return async (context) => await createEnvoyIngress(context, options);
}

/** @throws Error when the binary can't be run, or the socket can't be made */
export async function createEnvoyIngress(context: IngressContext, options: EnvoyOptions): Promise<EnvoyIngress> {
  checkBinary(options.binary);
  const { supervisor, folder } = context;
  const failureFile = join(folder, 'failed-connections.log');
  const listen = { ...context.listen, failures: { file: failureFile } };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sockets = socketFolder(folder);
  const { preflight = true, binary, onConnectionFailure, onEvent, retryMs } = options;
  const acceptedFile = join(folder, 'accepted.json');
  const accepted = readAccepted(acceptedFile);
  const control = await startIngressControl({
    endpoint: { socket: sockets.controlPlane },
    listen,
    ...(preflight && { preflight: { binary, folder } }),
    ...(retryMs !== undefined && { retryMs }),
    ...(accepted && { accepted }),
    onAccepted: async (plan) => await writeAccepted(acceptedFile, plan),
    onChange: context.onChange,
    onConnectionFailure,
    onEvent,
  });
  const start = bootstrap({
    nodeId: 'drimbox-host',
    controlPlaneSocket: sockets.controlPlane,
    adminSocket: sockets.admin,
    maxHeapBytes: 1_073_741_824,
    maxConnections: 20_000,
  });
  supervisor.ensure(program(folder, binary, start));
  let plan: IngressPlan | undefined;
  let failures: { close(): void } | undefined;
  /** Once it is known whose names are asked for. */
  const follow = (): { close(): void } =>
    followFailures({
      file: failureFile,
      onFailure: (failure) =>
        onConnectionFailure(
          failure,
          plan?.hosts.find(({ fqdn }) => fqdn === failure.serverName),
        ),
      reopen: async () => await askAdmin(sockets.admin, 'POST', '/reopen_logs'),
      onError: (error) => onEvent('the log of failed connections could not be followed', { error: String(error) }),
    });

  const observe = (): ReadonlyMap<string, IngressObservation> => {
    const seen = control.observe();
    const state = supervisor.state(programName);
    if (state?.running === true) return seen;
    return new Map([...seen.keys()].map((link) => [link, proxyDown(state?.lastEnd)]));
  };
  return {
    async apply(next) {
      plan = next;
      failures ??= follow();
      await control.apply(next);
    },
    observe,
    proxies: () => control.proxies(),
    async detach() {
      failures?.close();
      await control.stop();
    },
    async stop() {
      try {
        await drain(sockets.admin, options.drainMs ?? 120_000);
      } catch (error) {
        // It was not there to be asked, so nothing of it is under way; it is removed either way.
        onEvent('the proxy could not be drained', { error: String(error) });
      }
      await supervisor.remove(programName);
      failures?.close();
      await control.stop();
      sockets.remove();
      forgetAccepted(acceptedFile); // no proxy holds it any more
    },
  };
}

function program(folder: string, binary: string, start: JsonObject): Program {
  const file = join(folder, 'bootstrap.json');
  const text = `${JSON.stringify(start, undefined, 2)}\n`;
  writeFileAtomically(file, text);
  return {
    name: programName,
    // Its files are bounded also while nobody reads them and starts them anew: a write beyond fails, and the proxy goes on.
    command: 'env',
    args: [
      '--ignore-signal=XFSZ',
      // A proxy that runs with another one is not this program: it is started anew.
      `DRIMBOX_BOOTSTRAP=${versionOf(text)}`,
      'prlimit',
      `--fsize=${maxFileBytes}`,
      binary,
      '--config-path',
      file,
      '--disable-hot-restart',
      '--log-level',
      'warning',
      '--file-flush-interval-msec',
      '500',
      ...drainFlags,
    ],
    logFile: join(folder, 'envoy.log'),
    stopTimeoutMs: 5_000,
  };
}

function checkBinary(binary: string): void {
  try {
    accessSync(binary, constants.X_OK);
  } catch (error) {
    throw new Error(`${binary} can't be run; give Envoy's binary with --envoy or DRIMBOX_ENVOY`, { cause: error });
  }
}
