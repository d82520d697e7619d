/**
 * Asks Envoy's own binary, apart from the one that serves, whether it would take a configuration. What a proxy refuses of a secret
 * it keeps half (a new chain waits for it, a shared trust stumbles over it and is not told to the chains behind it), so the better
 * way is not to send it. A refusal by the serving proxy is handled all the same: see quarantine.ts.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeFileAtomically } from '../infrastructure/host/files.ts';
import { type Quarantine, passed, refused } from './quarantine.ts';
import type { JsonObject, JsonValue } from './resources/json.ts';
import type { EnvoyResources } from './resources/resources.ts';

/** undefined: it would take it; else why not, in Envoy's words. */
export type Judge = (resources: EnvoyResources) => Promise<string | undefined>;

/**
 * What a proxy would refuse of the trial, found in halves without any proxy: as many questions as it takes, one when all is well.
 * @returns the state with those units rejected and the rest on trial
 */
export async function sift(
  state: Quarantine,
  judge: (state: Quarantine) => Promise<string | undefined>,
): Promise<Quarantine> {
  let probe = state;
  while (probe.trial.length > 0) {
    const message = await judge(probe);
    probe = message === undefined ? passed(probe) : refused(probe, { type: 'listener', names: [], message });
  }
  return without(state, probe.rejected);
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

/** @param start the bootstrap; nothing of it is opened */
export function binaryJudge(binary: string, folder: string, start: JsonObject): Judge {
  const file = join(folder, 'preflight.json');
  return async (resources) => {
    writeFileAtomically(file, JSON.stringify({ ...start, static_resources: asStatic(start, resources) }), {
      secret: true,
    });
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
export function asStatic(start: JsonObject, { clusters, listeners, secrets }: EnvoyResources): JsonObject {
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
  const fixed = start['static_resources'];
  const own = isObject(fixed) ? fixed['clusters'] : undefined;
  return {
    clusters: [...(Array.isArray(own) ? (own as readonly JsonValue[]) : []), ...clusters],
    listeners: inline(listeners),
  };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && !Array.isArray(value);
}
