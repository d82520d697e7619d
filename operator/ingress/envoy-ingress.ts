/** An IngressPlan made real by one Envoy of this host: started, kept up, given its configuration over ADS, listened to. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../infrastructure/host/files.ts';
import type { EnvoyRunner, IngressContext, IngressRunner } from '../infrastructure/host/ingress-runner.ts';
import type { Program } from '../infrastructure/host/supervisor.ts';
import type { IngressHost, IngressPlan } from '../plan/ingress-plan.ts';
import type { IngressObservation } from '../plan/observations.ts';
import type { ConnectionFailure } from './access-log.ts';
import { drain } from './admin.ts';
import { bootstrap } from './bootstrap.ts';
import { encoder } from './control-plane/encode.ts';
import { loadProtos } from './control-plane/protos.ts';
import { socketFolder } from './socket-folder.ts';
import { type ControlPlane, startControlPlane } from './control-plane/server.ts';
import { toSnapshot } from './control-plane/snapshot.ts';
import { observeIngress } from './observe.ts';
import { binaryJudge, sift, without } from './preflight.ts';
import { type Quarantine, current, emptyQuarantine, passed, propose, refused, retried } from './quarantine.ts';
import type { JsonObject } from './resources/json.ts';
import { envoyResources } from './resources/resources.ts';

export interface EnvoyOptions {
  /** Absolute. */
  readonly binary: string;
  /** A connection that never became a session; `host` is the FQDN it asked for, when we serve it. For a `db` one it is E1101. */
  readonly onConnectionFailure: (failure: ConnectionFailure, host?: IngressHost) => void;
  readonly onEvent: (what: string, fields: Readonly<Record<string, unknown>>) => void;
  /** What was refused is tried again after this, ms: a port may have become free. */
  readonly retryMs?: number;
  /** Asks the binary first (preflight.ts); true unless told. */
  readonly preflight?: boolean;
  /** How long answers under way may take when it is told to stop, ms. */
  readonly drainMs?: number;
}

const programName = 'envoy';
/** A chain that goes asks its clients to go at once, and gives answers under way an hour: gigabytes on a slow link. */
const drainFlags = ['--drain-strategy', 'immediate', '--drain-time-s', '3600'];

export interface EnvoyIngress extends IngressRunner {
  /** Ends the control plane alone: the proxy goes on with what it has. */
  detach(): void;
}

/** For the host operator: runs this Envoy with the context it is given. */
export function envoyRunner(options: EnvoyOptions): EnvoyRunner {
  return async (context) => await createEnvoyIngress(context, options);
}

/** @throws Error when the binary can't be run, or the socket can't be made */
export async function createEnvoyIngress(context: IngressContext, options: EnvoyOptions): Promise<EnvoyIngress> {
  checkBinary(options.binary);
  const { supervisor, folder, listen } = context;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sockets = socketFolder(folder);
  const root = loadProtos();
  const encode = encoder(root);
  let plan: IngressPlan | undefined;
  let state: Quarantine = emptyQuarantine;
  let fault: string | undefined;
  let said = '';

  const observe = (): ReadonlyMap<string, IngressObservation> =>
    observeIngress({ plan, state, fault, program: supervisor.state(programName) });
  const tell = (): void => {
    const text = JSON.stringify([...observe()]);
    if (text === said) return;
    said = text;
    context.onChange();
  };
  const publish = (): void => {
    const now = current(state);
    if (now !== undefined) controlPlane.publish(toSnapshot(envoyResources(now, listen), encode));
    tell();
  };
  const controlPlane: ControlPlane = await startControlPlane(sockets.controlPlane, root, {
    onRefused(refusal) {
      options.onEvent('the proxy refused', { ...refusal });
      const after = refused(state, refusal);
      if (after === state) {
        // Nothing is on trial: what was good before is no longer taken, e.g. the port after a restart.
        fault = refusal.message;
        tell();
        return;
      }
      state = after;
      publish();
    },
    onSettled() {
      fault = undefined;
      const more = state.trial.length + state.queue.length > 0;
      state = passed(state);
      if (more) publish();
      else tell();
    },
    onProxies(count) {
      options.onEvent('proxies connected', { count });
      tell();
    },
    onConnectionFailure: (failure) =>
      options.onConnectionFailure(
        failure,
        plan?.hosts.find(({ fqdn }) => fqdn === failure.serverName),
      ),
  });
  const start = bootstrap({
    nodeId: 'drimbox-host',
    controlPlaneSocket: sockets.controlPlane,
    adminSocket: sockets.admin,
    maxHeapBytes: 1_073_741_824,
    maxConnections: 20_000,
  });
  const judge = binaryJudge(options.binary, folder, start);
  const admit = async (change: (from: Quarantine) => Quarantine): Promise<void> => {
    const wanted = change(state);
    let { rejected } = wanted;
    if (options.preflight ?? true)
      try {
        const sifted = await sift(wanted, async (probe) => {
          const probed = current(probe);
          return probed === undefined ? undefined : await judge(envoyResources(probed, listen));
        });
        rejected = sifted.rejected;
      } catch (error) {
        // Not judged: the serving proxy judges, and its refusals are confined too.
        options.onEvent('the preflight gave no answer', { error: String(error) });
      }
    // Made again: the proxy may have spoken meanwhile.
    state = without(change(state), rejected);
    publish();
  };
  let work = Promise.resolve();
  const inTurn = async (change: (from: Quarantine) => Quarantine): Promise<void> => {
    work = work.then(async () => await admit(change));
    await work;
  };
  const timer = setInterval(() => {
    if (fault === undefined && state.rejected.size === 0) return;
    controlPlane.forgive();
    void inTurn(retried);
  }, options.retryMs ?? 60_000);
  supervisor.ensure(program(folder, options.binary, start));

  return {
    async apply(next) {
      plan = next;
      await inTurn((from) => propose(from, next));
    },
    observe,
    detach() {
      clearInterval(timer);
      controlPlane.close();
    },
    async stop() {
      clearInterval(timer);
      await work;
      try {
        await drain(sockets.admin, options.drainMs ?? 120_000);
      } catch (error) {
        // It was not there to be asked, so nothing of it is under way; it is removed either way.
        options.onEvent('the proxy could not be drained', { error: String(error) });
      }
      await supervisor.remove(programName);
      controlPlane.close();
      sockets.remove();
    },
  };
}

function program(folder: string, binary: string, start: JsonObject): Program {
  const file = join(folder, 'bootstrap.json');
  writeFileAtomically(file, `${JSON.stringify(start, undefined, 2)}\n`);
  return {
    name: programName,
    command: binary,
    args: ['--config-path', file, '--disable-hot-restart', '--log-level', 'warning', ...drainFlags],
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
