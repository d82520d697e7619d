/**
 * The control plane alone at scale, as a program: how long it keeps the event loop for itself at each change, in processor time, so that
 * what else runs on the machine does not count. N pairs of FQDNs, held by as many real Envoys as told. Prints JSON.
 *
 * usage: turns.testing.ts --pairs N --changes N --proxies N
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { createSupervisor } from '../infrastructure/host/supervisor.ts';
import type { IngressPlan } from '../plan/ingress-plan.ts';
import { bootstrap } from './bootstrap.ts';
import { type ScalePki, createScalePki, pairOf } from './scale-plan.testing.ts';
import { startIngressControl } from './start-control.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '100' },
    changes: { type: 'string', default: '3' },
    proxies: { type: 'string', default: '1' },
  },
});
const [pairs, changes, proxies] = [Number(values.pairs), Number(values.changes), Number(values.proxies)];
// a short path: Envoy's sockets live in it
const folder = mkdtempSync('/tmp/drimbox-t-');
const supervisor = createSupervisor({ random: () => 0, now: Date.now, onEvent: () => undefined });
const socket = join(folder, 'xds.sock');
const control = await startIngressControl({
  endpoint: { socket },
  listen: { host: '127.0.0.1', port: 0 },
  onChange: () => undefined,
  onConnectionFailure: () => undefined,
  onEvent: () => undefined,
});

const never = new Int32Array(new SharedArrayBuffer(4));

/** Of this thread, ms. The kernel adds it up when a thread lets go of its processor, so it does for an instant. */
function processorMs(): number {
  Atomics.wait(never, 0, 0, 0.001);
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Looks at every turn of the event loop. @returns what ends it, and says how long the longest took, ms */
function watchTurns(): () => number {
  let [longest, watching, before] = [0, true, processorMs()];
  const look = (): void => {
    longest = Math.max(longest, processorMs() - before);
    before = processorMs();
    if (watching) setImmediate(look);
  };
  setImmediate(look);
  return () => {
    watching = false;
    return longest;
  };
}

async function apply(plan: IngressPlan): Promise<number> {
  const end = watchTurns();
  await control.apply(plan);
  for (;;) {
    await sleep(20);
    const { connected, acknowledged } = control.proxies();
    if (connected === proxies && acknowledged === proxies) break;
  }
  await sleep(50); // what is said of the links follows
  return end();
}

function startProxy(index: number): void {
  const file = join(folder, `${index}.json`);
  const adminSocket = join(folder, `${index}.sock`);
  const bounds = { maxHeapBytes: 4_294_967_296, maxConnections: 1_000 };
  writeFileSync(
    file,
    JSON.stringify(bootstrap({ nodeId: String(index), controlPlaneSocket: socket, adminSocket, ...bounds })),
  );
  supervisor.ensure({
    name: `envoy-${index}`,
    command: findEnvoy(),
    args: ['-c', file, '--disable-hot-restart', '--log-level', 'error', '--concurrency', '1'],
    logFile: join(folder, `${index}.log`),
    stopTimeoutMs: 1_000,
  });
}

/** Of this process since it was last cleared, bytes. */
function peakBytes(): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1024;
}

async function measure(pki: ScalePki): Promise<object> {
  let plan = await pki.plan(pairs);
  for (let index = 0; index < proxies; index += 1) startProxy(index);
  while (control.proxies().connected < proxies) await sleep(50);
  const rssBefore = process.memoryUsage.rss();
  writeFileSync('/proc/self/clear_refs', '5');
  const longestTurnMs: Record<string, number[]> = {
    cold: [await apply(plan)],
    rotation: [],
    addition: [],
    removal: [],
    crl: [],
  };
  for (let n = 0; n < changes; n += 1) {
    const fqdn = `db-${n}.scale.example`;
    const identity = await pki.identity(fqdn);
    plan = { ...plan, hosts: plan.hosts.map((host) => (host.fqdn === fqdn ? { ...host, identity } : host)) };
    longestTurnMs['rotation']?.push(await apply(plan));
    const hosts = [...plan.hosts, ...(await pairOf(pki, pairs + n))];
    longestTurnMs['addition']?.push(
      await apply({ ...plan, hosts: hosts.toSorted((a, b) => (a.fqdn < b.fqdn ? -1 : 1)) }),
    );
    longestTurnMs['removal']?.push(await apply(plan));
    plan = { ...plan, trusts: [await pki.trust()] };
    longestTurnMs['crl']?.push(await apply(plan));
  }
  return { pairs, proxies, longestTurnMs, rssBefore, rssPeak: peakBytes() };
}

try {
  process.stdout.write(`${JSON.stringify(await measure(await createScalePki()))}\n`);
} finally {
  await Promise.all(supervisor.names().map(async (name) => await supervisor.remove(name)));
  await control.stop();
  rmSync(folder, { recursive: true });
}
