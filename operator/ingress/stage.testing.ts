/** For the tests of this room: a real Envoy, run by the real supervisor, in a world of certificates and gateways. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { freePort } from '../../e2e/parts/ports.ts';
import { type Supervisor, createSupervisor } from '../infrastructure/host/supervisor.ts';
import type { IngressPlan } from '../plan/ingress-plan.ts';
import type { IngressObservation } from '../plan/observations.ts';
import type { ConnectionFailure } from './access-log.ts';
import { askAdmin } from './admin.ts';
import { type EnvoyIngress, createEnvoyIngress } from './envoy-ingress.ts';
import { type World, openWorld } from './world.testing.ts';

export interface Stage extends World {
  readonly port: number;
  readonly failures: ConnectionFailure[];
  readonly supervisor: Supervisor;
  /** The control plane in force. */
  ingress(): EnvoyIngress;
  /** Ends the control plane alone. */
  detach(): Promise<void>;
  /** Starts another one in its place. */
  attach(): Promise<void>;
  /** Settles when every link is programmed. */
  apply(plan: IngressPlan): Promise<void>;
  observed(link: string): IngressObservation | undefined;
  /** What Envoy's admin page answers. */
  page(path: string): Promise<string>;
  /** One of Envoy's counters or gauges. */
  stat(name: string): Promise<number>;
  until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>;
  stop(): Promise<void>;
}

/** @param preflight false: as where the operator has no Envoy of its own */
export async function openStage(preflight = true): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'drimbox-ingress-'));
  const world = await openWorld(folder);
  const port = await freePort();
  const failures: ConnectionFailure[] = [];
  const events: string[] = [];
  const supervisor = createSupervisor({
    random: () => 0,
    now: Date.now,
    onEvent: ({ name, what }) => events.push(`${name} ${what}`),
  });
  const state = join(folder, 'ingress');
  const open = async (): Promise<EnvoyIngress> =>
    await createEnvoyIngress(
      { supervisor, folder: state, listen: { host: '127.0.0.1', port }, onChange: () => undefined },
      {
        binary: findEnvoy(),
        onConnectionFailure: (failure) => failures.push(failure),
        onEvent: (what, fields) => events.push(`${what} ${JSON.stringify(fields)}`),
        preflight,
        retryMs: 500,
        drainMs: 1_000,
      },
    );
  const now = { ingress: await open() };
  const until: Stage['until'] = async (what, look) => {
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      await sleep(50);
    }
    const log = readFileSync(join(state, 'envoy.log'), 'utf8').split('\n').slice(-15).join('\n');
    const seen = JSON.stringify([...now.ingress.observe()]);
    throw new Error(`${what} did not come: ${seen}\n${events.slice(-15).join('\n')}\n${log}`);
  };
  const page = async (path: string): Promise<string> => await askAdmin(join(state, 'admin.sock'), 'GET', path);
  return {
    ...world,
    port,
    failures,
    supervisor,
    until,
    ingress: () => now.ingress,
    detach: async () => await now.ingress.detach(),
    async attach() {
      now.ingress = await open();
    },
    async apply(plan) {
      await now.ingress.apply(plan);
      const programmed = (): boolean => [...now.ingress.observe().values()].every(({ status }) => status === 'True');
      await until('all programmed', programmed);
    },
    observed: (link) => now.ingress.observe().get(link),
    page,
    async stat(name) {
      const text = await page(`/stats?filter=${encodeURIComponent(`^${name}$`)}`);
      return Number(/: (\d+)/.exec(text)?.[1]);
    },
    async stop() {
      await now.ingress.stop();
      world.close();
      rmSync(folder, { recursive: true });
    },
  };
}
