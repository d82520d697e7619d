/**
 * Makes a plan real on one host: files, one gateway process per site, the proxy. What equals what is there is not touched, so a
 * site that a change does not concern keeps its process, its files and its connections.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayPlan } from '../../plan/gateway-plan.ts';
import type { Plan } from '../../plan/plan.ts';
import { writeFileAtomically, writeWhenDifferent } from './files.ts';
import type { IngressRunner } from './ingress-runner.ts';
import type { StateFolder } from './state-folder.ts';
import type { Program } from './program.ts';
import type { Supervisor } from './supervisor.ts';

export interface HostOptions {
  readonly state: StateFolder;
  readonly supervisor: Supervisor;
  readonly ingress: IngressRunner;
  /** Command that runs a gateway; `--config FILE` is appended. */
  readonly gatewayCommand: readonly [string, ...string[]];
  /** Told when what a deleted site left could not be removed. */
  readonly onRemovalError: (site: string, error: Error) => void;
}

/** Longer than the gateway's own grace for series under way (120 s). */
const gatewayStopMs = 130_000;

/** Gateways first, then the proxy that sends to them, then what is gone: no FQDN ever points to nothing of ours. */
export async function applyPlan(plan: Plan, before: Plan | undefined, options: HostOptions): Promise<void> {
  for (const gateway of plan.gateways) applyGateway(gateway, before, options);
  await options.ingress.apply(plan.ingress);
  const wanted = new Set(plan.gateways.map(({ site }) => gatewayName(site)));
  // Not waited for: a gateway may take two minutes to finish its series, and other sites' changes must not.
  for (const former of before?.gateways ?? [])
    if (!wanted.has(gatewayName(former.site))) void removeGateway(former, options);
  options.supervisor.endUnclaimed();
  writeFileAtomically(options.state.planFile, JSON.stringify(plan), { secret: true });
}

export function gatewayName(site: string): string {
  return `gateway ${site}`;
}

function applyGateway(
  gateway: GatewayPlan,
  before: Plan | undefined,
  { state, supervisor, gatewayCommand }: HostOptions,
): void {
  const { site } = gateway;
  const folder = state.filesFolder(site);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  mkdirSync(state.dataFolder(site), { recursive: true, mode: 0o700 });
  for (const { name, content, secret } of gateway.files) writeWhenDifferent(join(folder, name), content, { secret });
  // Last: the gateway wakes on it and finds every file it names.
  writeWhenDifferent(state.configFile(site), `${JSON.stringify(gateway.config, undefined, 2)}\n`);
  prune(
    folder,
    gateway,
    before?.gateways.find((former) => former.site === site),
  );
  const [command, ...args] = gatewayCommand;
  const program: Program = {
    name: gatewayName(site),
    command,
    args: [...args, '--config', state.configFile(site)],
    logFile: state.gatewayLog(site),
    stopTimeoutMs: gatewayStopMs,
  };
  supervisor.ensure(program);
}

/** Files of the plan before stay until the next change: the gateway may not have turned to the new ones yet. */
function prune(folder: string, gateway: GatewayPlan, former: GatewayPlan | undefined): void {
  const kept = new Set([...gateway.files, ...(former?.files ?? [])].map(({ name }) => name));
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name));
}

async function removeGateway(former: GatewayPlan, { supervisor, state, onRemovalError }: HostOptions): Promise<void> {
  const name = gatewayName(former.site);
  await supervisor.remove(name);
  // Made again meanwhile: the files are the new one's.
  if (supervisor.state(name) !== undefined) return;
  try {
    removeFiles(former, state);
  } catch (error) {
    // Nobody waits for this: the site is gone, and what is left of it harms no other.
    onRemovalError(former.site, error instanceof Error ? error : new Error(String(error)));
  }
}

function removeFiles({ site, whenDeleted }: GatewayPlan, state: StateFolder): void {
  rmSync(state.filesFolder(site), { recursive: true, force: true });
  rmSync(state.configFile(site), { force: true });
  if (whenDeleted === 'Delete') rmSync(state.siteFolder(site), { recursive: true, force: true });
}

/** Programs and proxy go on; whoever starts on this state folder next takes them over. */
export async function leaveHost({ supervisor, ingress }: Pick<HostOptions, 'supervisor' | 'ingress'>): Promise<void> {
  await ingress.detach();
  supervisor.release();
}

/** The proxy first, so that nothing new comes in; then the gateways, which finish what is under way. */
export async function stopHost({ supervisor, ingress }: Pick<HostOptions, 'supervisor' | 'ingress'>): Promise<void> {
  await ingress.stop();
  await Promise.all(supervisor.names().map(async (name) => await supervisor.remove(name)));
  await supervisor.settled();
}
