/** Plans come while others are under way, in slices: none is lost, none is overtaken, and nothing half-made is served. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { createSupervisor } from '../infrastructure/host/supervisor.ts';
import type { IngressHost, IngressPlan } from '../plan/ingress-plan.ts';
import { askAdmin } from './admin.ts';
import { bootstrap } from './bootstrap.ts';
import type { IngressControl } from './ingress-control.ts';
import { createScalePki } from './scale-plan.testing.ts';
import { startIngressControl } from './start-control.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-control-'));
const supervisor = createSupervisor({ random: () => 0, now: Date.now, onEvent: () => undefined });
const [controlSocket, adminSocket] = [join(folder, 'xds.sock'), join(folder, 'admin.sock')];
const accepted: IngressPlan[] = [];
const events: string[] = [];
/** As many as take several slices. */
const pairs = 120;
let control: IngressControl;
let base: IngressPlan;

test.before(async () => {
  base = await (await createScalePki()).plan(pairs);
  control = await startIngressControl({
    endpoint: { socket: controlSocket },
    listen: { host: '127.0.0.1', port: 0 },
    onAccepted: async (plan) => {
      await sleep(1);
      accepted.push(plan);
    },
    onChange: () => undefined,
    onConnectionFailure: () => undefined,
    onEvent: (what, fields) => events.push(`${what} ${JSON.stringify(fields).slice(0, 300)}`),
  });
  const file = join(folder, 'bootstrap.json');
  const paths = { controlPlaneSocket: controlSocket, adminSocket };
  const start = bootstrap({ nodeId: 'test', ...paths, maxHeapBytes: 1_073_741_824, maxConnections: 1_000 });
  writeFileSync(file, JSON.stringify(start));
  supervisor.ensure({
    name: 'envoy',
    command: findEnvoy(),
    args: ['-c', file, '--disable-hot-restart', '--log-level', 'error'],
    logFile: join(folder, 'envoy.log'),
    stopTimeoutMs: 1_000,
  });
});

test.after(async () => {
  await supervisor.remove('envoy');
  await control.stop();
  rmSync(folder, { recursive: true });
});

/**
 * The generation stands in every host; a link comes and goes with it. As other objects each time, as a host's operator makes them.
 * Every other one is small: sooner worked out than the large one before it.
 */
function generation(number: number): IngressPlan {
  const limits = { maxConnections: 100 + number, maxRequests: 100 };
  const isIn = ({ link }: IngressHost): boolean => link !== `scale/pacs-${number}`;
  const hosts = base.hosts.filter(isIn).slice(number % 2 === 0 ? 0 : -2);
  return { ...base, hosts: hosts.map((host) => ({ ...host, limits })), trusts: number % 2 === 0 ? base.trusts : [] };
}

const generationsIn = ({ hosts }: IngressPlan): readonly number[] => [
  ...new Set(hosts.map(({ limits }) => limits.maxConnections - 100)),
];

async function settled(): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const { connected, acknowledged } = control.proxies();
    const held = [...control.observe().values()].every(({ status }) => status === 'True');
    if (held && connected === 1 && acknowledged === 1) return;
    await sleep(50);
  }
  throw new Error(`not settled: ${JSON.stringify(control.proxies())}\n${events.slice(-10).join('\n')}`);
}

interface Dump {
  /** Of one that goes there is no active state. */
  readonly configs: readonly {
    readonly active_state?: { readonly listener: { readonly filter_chains: readonly { readonly name: string }[] } };
  }[];
}

/** What Envoy serves. */
async function served(): Promise<{ readonly names: readonly string[]; readonly text: string }> {
  const dump = JSON.parse(await askAdmin(adminSocket, 'GET', '/config_dump?resource=dynamic_listeners')) as Dump;
  const active = dump.configs.flatMap(({ active_state: state }) => state?.listener ?? []);
  const names = active.flatMap(({ filter_chains: chains }) => chains.map(({ name }) => name));
  return { names: names.filter((name) => name !== 'ingress'), text: JSON.stringify(active) };
}

test('of plans that come faster than they can be published the last is served, and each taken is whole and later than the one before', async () => {
  const last = 13;
  const applied: Promise<void>[] = [];
  for (let number = 0; number <= last; number += 1) {
    applied.push(control.apply(generation(number), `round ${number}`));
    // Some at once, some while the former is sifted, encoded or sent.
    if (number % 3 !== 0) await sleep(number * 3);
  }
  await Promise.all(applied);
  await settled();
  const { names, text } = await served();
  assert.equal(
    names.toSorted(),
    generation(last)
      .hosts.map(({ fqdn }) => fqdn)
      .toSorted(),
  );
  assert.is(text.split(`"max_connections":"${100 + last}"`).length - 1, names.length);
  assert.equal(
    accepted.filter((plan) => generationsIn(plan).length !== 1),
    [],
  );
  const generations = accepted.flatMap(generationsIn);
  assert.equal(
    generations,
    generations.toSorted((a, b) => a - b),
  );
  assert.is(generations.at(-1), last);
  assert.equal(
    events.filter((event) => !event.startsWith('proxies connected')),
    [],
  );
});

test('an observation never says of a link that was not published yet that the proxy has it', async () => {
  await control.apply({ ...base, hosts: base.hosts.slice(0, 2), trusts: base.trusts });
  await settled();
  const known = new Set(base.hosts.slice(0, 2).map(({ link }) => link));
  const applying = control.apply(base);
  const early = [...control.observe()].filter(([link, { status }]) => status === 'True' && !known.has(link));
  assert.equal(early, []);
  await applying;
  await settled();
});

test.run();
