/**
 * Asks Envoy's own binary, apart from the one that serves, whether it would take a configuration. What a proxy refuses of a secret
 * it keeps half (a new chain waits for it, a shared trust stumbles over it and is not told to the chains behind it), so the better
 * way is not to send it. A refusal by the serving proxy is handled all the same: see quarantine.ts.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { IngressPlan } from '../plan/ingress-plan.ts';
import { controlPlaneOn, withinProcess } from './bootstrap.ts';
import { type Quarantine, onTrial, passed, refused } from './quarantine.ts';
import type { JsonObject, JsonValue } from './resources/json.ts';
import type { ListenAddress } from './resources/listener.ts';
import { type EnvoyResources, envoyResources } from './resources/resources.ts';

/** undefined: it would take it; else why not, in Envoy's words. */
export type Judge = (plan: IngressPlan) => Promise<string | undefined>;

/** Asked about at once: a document of these is written and read in tens of milliseconds. */
const atOnce = 100;

/**
 * What a proxy would refuse of the trial, and of what is tried after it, found in halves without any proxy: as many questions as it
 * takes, one when all is well and few things changed. Only what is to be tried is asked about, with what it needs.
 * @returns the state with those units rejected and the rest to be tried
 */
export async function sift(state: Quarantine, judge: Judge): Promise<Quarantine> {
  const batches = inBatches([...state.trial, ...state.queue.flat()]);
  let probe: Quarantine = { ...state, trial: batches[0] ?? [], queue: batches.slice(1) };
  while (probe.trial.length > 0) {
    const plan = onTrial(probe);
    const message = plan && (await judge(plan));
    probe = message === undefined ? passed(probe) : refused(probe, { type: 'listener', names: [], message });
  }
  return without(state, probe.rejected);
}

/** What `judge` rejects of the state; when it gives no answer, nothing more than before, and that is told. */
export async function refusedBy(
  judge: Judge,
  state: Quarantine,
  onEvent: (what: string, fields: Readonly<Record<string, unknown>>) => void,
): Promise<Quarantine['rejected']> {
  try {
    return (await sift(state, judge)).rejected;
  } catch (error) {
    // Not judged: the serving proxy judges, and its refusals are confined too.
    onEvent('the preflight gave no answer', { error: String(error) });
    return state.rejected;
  }
}

function inBatches(keys: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(keys.length / atOnce) }, (_, index) =>
    keys.slice(index * atOnce, (index + 1) * atOnce),
  );
}

/** The state with these units rejected instead of tried. */
export function without(state: Quarantine, rejected: Quarantine['rejected']): Quarantine {
  const left = (keys: readonly string[]): readonly string[] => keys.filter((key) => !rejected.has(key));
  return {
    ...state,
    rejected: new Map([...state.rejected, ...rejected]),
    trial: left(state.trial),
    queue: state.queue.map(left).filter((keys) => keys.length > 0),
  };
}

/** @param folder readable by our user alone: private keys stand in the question */
export function binaryJudge(binary: string, folder: string, listen: ListenAddress): Judge {
  const file = join(folder, 'preflight.json');
  return async (plan) => {
    // Gone in a moment, so it need not survive a crash: no fsync.
    await writeFile(
      file,
      JSON.stringify({ ...withinProcess, static_resources: asStatic(envoyResources(plan, listen)) }),
      {
        mode: 0o600,
      },
    );
    try {
      await promisify(execFile)(binary, ['--mode', 'validate', '--config-path', file, '--log-level', 'error'], {
        timeout: 30_000,
      });
      return undefined;
    } catch (error) {
      const { stderr } = error as { readonly stderr?: string };
      const words = /error initializing configuration '[^']*': ([^\n]+)/.exec(stderr ?? '')?.[1];
      if (words !== undefined) return words;
      throw error; // it did not judge: too slow, or killed
    } finally {
      rmSync(file, { force: true });
    }
  };
}

/** The same resources without a control plane: secrets stand where they are referred to, so that they are loaded. */
function asStatic({ clusters, listeners, secrets }: EnvoyResources): JsonObject {
  const named = new Map(secrets.map((secret) => [secret.name, secret]));
  const secretOf = (reference: JsonValue | undefined): JsonObject => {
    const name = isObject(reference) ? reference['name'] : undefined;
    return named.get(typeof name === 'string' ? name : '') ?? {};
  };
  const inline = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map((item: JsonValue) => inline(item));
    if (!isObject(value)) return value;
    const {
      tls_certificate_sds_secret_configs: certificates,
      validation_context_sds_secret_config: trust,
      ...rest
    } = value;
    const plain = Object.fromEntries(
      Object.entries(rest).map(([key, item]) => [key, item === undefined ? item : inline(item)]),
    );
    return {
      ...plain,
      ...(Array.isArray(certificates) && {
        tls_certificates: certificates.map((item: JsonValue) => secretOf(item)['tls_certificate'] ?? {}),
      }),
      ...(trust !== undefined && { validation_context: secretOf(trust)['validation_context'] ?? {} }),
    };
  };
  return {
    // Never called: the access log names it.
    clusters: [controlPlaneOn('/control-plane'), ...clusters],
    listeners: inline(listeners),
  };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && !Array.isArray(value);
}
