/** The product as its user starts it: `drimbox up`, and what `drimbox status --json` says. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEnvoy } from './envoy.ts';
import { type Part, startProcess } from './process.ts';

const root = join(import.meta.dirname, '../..');

export interface ConditionSeen {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface ResourceSeen {
  readonly kind: string;
  readonly key: string;
  readonly conditions: readonly ConditionSeen[];
}

export interface EventSeen {
  readonly event: string;
  readonly subject: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

export interface StatusSeen {
  readonly resources: readonly ResourceSeen[];
  readonly faults: readonly unknown[];
  readonly events?: readonly EventSeen[];
  readonly processes: readonly {
    readonly name: string;
    readonly pid?: number;
    readonly running: boolean;
    readonly restarts: number;
  }[];
  readonly error?: string;
}

export interface OperatorOptions {
  readonly directory: string;
  readonly state: string;
  readonly publicPort: number;
  /** Where RIS, PACS and the public side connect; loopback unless told. */
  readonly address?: string;
  readonly logFile: string;
  /** Gateways and proxy survive it: whoever says so ends them with another operator on the same state. */
  readonly leaveRunning?: boolean;
  /** Of /metrics, on the loopback; not served without. */
  readonly metricsPort?: number;
}

export interface RunningOperator extends Part {
  readonly state: string;
  status(): StatusSeen | undefined;
}

export async function startOperator(options: OperatorOptions): Promise<RunningOperator> {
  const statusFile = join(options.state, 'status.json');
  const part = await startProcess({
    name: 'operator',
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      join(root, 'operator/main.ts'),
      'up',
      '-f',
      options.directory,
      '--state',
      options.state,
      '--address',
      options.address ?? '127.0.0.1',
      '--listen',
      `${options.address ?? '127.0.0.1'}:${options.publicPort}`,
      ...(options.metricsPort === undefined ? [] : ['--metrics', `127.0.0.1:${options.metricsPort}`]),
      ...(options.leaveRunning === true ? ['--leave-running'] : []),
      '--json',
    ],
    env: { DRIMBOX_ENVOY: findEnvoy() },
    logFile: options.logFile,
    ready: () => existsSync(statusFile),
    stopTimeoutMs: 30_000,
  });
  return Object.assign(part, {
    state: options.state,
    status: () => (existsSync(statusFile) ? (JSON.parse(readFileSync(statusFile, 'utf8')) as StatusSeen) : undefined),
  });
}

export function isReady(resource: ResourceSeen): boolean {
  return resource.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** @throws Error naming each resource that is not ready, and why. */
export async function untilReady(operator: RunningOperator, resources: number, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const status = operator.status();
    const ready = status?.resources.filter(isReady).length ?? 0;
    if (status && ready === resources && status.faults.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(
        `not ready after ${timeoutMs / 1000} s: ${whyNot(status)}\n${operator.log().split('\n').slice(-15).join('\n')}`,
      );
    await sleep(100);
  }
}

function whyNot(status: StatusSeen | undefined): string {
  if (!status) return 'the operator wrote no status';
  const reasons = status.resources
    .filter((resource) => !isReady(resource))
    .flatMap(({ kind, key, conditions }) =>
      conditions
        .filter((c) => c.status !== 'True' && c.type !== 'Ready' && c.type !== 'Paused')
        .map((c) => `${kind} ${key} ${c.type}=${c.status} ${c.reason}: ${c.message}`),
    );
  return [...reasons, ...status.faults.map((fault) => JSON.stringify(fault)), status.error ?? ''].join('\n');
}

/** The admin page of a site's gateway. */
export async function gatewayPage(state: string, site: string, path: string): Promise<string> {
  const config = JSON.parse(readFileSync(join(state, 'sites', site, 'config.json'), 'utf8')) as {
    listeners: { admin: { host: string; port: number } };
  };
  const { host, port } = config.listeners.admin;
  const response = await fetch(`http://${host}:${port}${path}`);
  return await response.text();
}
