/**
 * The ingress alone at scale, as a program: N pairs of FQDNs in one real Envoy, then changes to one link at a time. Prints JSON.
 *
 * usage: scale.testing.ts --pairs N --changes N [--no-preflight]
 */
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findEnvoy } from '../../e2e/parts/envoy.ts';
import { freePort } from '../../e2e/parts/ports.ts';
import { createSupervisor } from '../infrastructure/host/supervisor.ts';
import type { DbHost, IngressPlan } from '../plan/ingress-plan.ts';
import { askAdmin } from './admin.ts';
import { createEnvoyIngress } from './envoy-ingress.ts';
import { certificateName } from './resources/names.ts';
import { type ScalePki, createScalePki, pairOf } from './scale-plan.testing.ts';

interface Change {
  /** From the new plan given to its acknowledgement by Envoy, ms. */
  readonly ackMs: number;
  /** What Envoy received from the control plane for it. */
  readonly bytes: number;
  /** Longest time in which the operator's process could do nothing else, ms. */
  readonly blockMs: number;
  /** Processor time of Envoy's main thread for it, ms: what it takes to read a configuration and to build what is new of it. */
  readonly envoyMs: number;
  /** Secrets pushed, of the changed link and of all others. */
  readonly ownSecrets: number;
  readonly otherSecrets: number;
}

const { values } = parseArgs({
  allowNegative: true,
  options: {
    pairs: { type: 'string', default: '10' },
    changes: { type: 'string', default: '10' },
    preflight: { type: 'boolean', default: true },
  },
});
const [pairs, changes] = [Number(values.pairs), Number(values.changes)];
// a short path: Envoy's sockets live in it
const folder = mkdtempSync('/tmp/drimbox-s-');
const adminSocket = join(folder, 'admin.sock');
const supervisor = createSupervisor({ random: () => 0, now: Date.now, onEvent: () => undefined });
const news = new EventEmitter();
const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
const ingress = await createEnvoyIngress(
  {
    supervisor,
    folder,
    listen: { host: '127.0.0.1', port: await freePort() },
    onChange: () => void news.emit('change'),
  },
  {
    binary: findEnvoy(),
    onConnectionFailure: () => undefined,
    onEvent: () => undefined,
    preflight: values.preflight,
    drainMs: 100,
  },
);

/** Woken by what the ingress says, not by asking: asking about thousands of links is work of the very process that is measured. */
async function apply(plan: IngressPlan): Promise<number> {
  const started = performance.now();
  const limit = AbortSignal.timeout(300_000);
  await ingress.apply(plan);
  for (;;) {
    const seen = [...ingress.observe().values()];
    const refusal = seen.find(({ reason }) => reason === 'RejectedByProxy');
    if (refusal !== undefined) throw new Error(refusal.message);
    const { connected, acknowledged } = ingress.proxies();
    const held = seen.every(({ status }) => status === 'True');
    if (held && connected === acknowledged) return performance.now() - started;
    if (held) {
      await sleep(1); // of a link that goes nothing more is said
      continue;
    }
    await once(news, 'change', { signal: limit });
  }
}

/** Counters of Envoy, by name. */
async function counters(filter: string): Promise<ReadonlyMap<string, number>> {
  const text = await askAdmin(adminSocket, 'GET', `/stats?filter=${encodeURIComponent(filter)}`);
  const lines = text.split('\n').flatMap((line) => /^(.*): (\d+)$/.exec(line)?.slice(1, 3) ?? []);
  return new Map(
    Array.from({ length: lines.length / 2 }, (_, index) => [lines[index * 2] ?? '', Number(lines[index * 2 + 1])]),
  );
}

interface Received {
  readonly bytes: number;
  readonly secrets: ReadonlyMap<string, number>;
}

async function received(): Promise<Received> {
  const bytes = (await counters('^cluster\\.control-plane\\.upstream_cx_rx_bytes_total$')).values().next().value;
  if (bytes === undefined) throw new Error('Envoy does not count what the control plane sends');
  return { bytes, secrets: await counters('^sds\\..*\\.update_success$') };
}

async function change(plan: IngressPlan, link: string): Promise<Change> {
  const hosts = plan.hosts.filter((host) => host.link === link);
  const own = new Set(hosts.map(({ fqdn }) => `sds.${certificateName(fqdn)}.update_success`));
  const before = await received();
  loop.reset();
  const cpu = mainThreadMs();
  const ackMs = await apply(plan);
  const envoyMs = mainThreadMs() - cpu;
  await sleep(5); // a block at the very end is seen by the timer after it
  const blockMs = loop.max / 1e6;
  const after = await received();
  let [ownSecrets, otherSecrets] = [0, 0];
  for (const [name, count] of after.secrets) {
    const pushed = count - (before.secrets.get(name) ?? 0);
    if (own.has(name)) ownSecrets += pushed;
    else otherSecrets += pushed;
  }
  return { ackMs, blockMs, envoyMs, bytes: after.bytes - before.bytes, ownSecrets, otherSecrets };
}

function rssBytes(pid: number | undefined): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'latin1'))?.[1];
  if (kilobytes === undefined) throw new Error('Envoy does not run');
  return Number(kilobytes) * 1024;
}

/** Fields 14 and 15 of /proc/PID/task/TID/stat, in hundredths of a second. */
function mainThreadMs(): number {
  const pid = supervisor.state('envoy')?.pid ?? 0;
  const stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function replaced(plan: IngressPlan, index: number, over: Partial<DbHost>): IngressPlan {
  const hosts = plan.hosts.map((host) =>
    host.link === `scale/pacs-${index}` && host.kind === 'db' ? { ...host, ...over, kind: host.kind } : host,
  );
  return { ...plan, hosts };
}

async function measure(pki: ScalePki): Promise<object> {
  let plan = await pki.plan(pairs);
  loop.reset();
  const coldMs = await apply(plan);
  const coldBlockMs = loop.max / 1e6;
  const cold = await received();
  const kinds: Record<string, Change[]> = { rotation: [], addition: [], removal: [], crl: [] };
  for (let n = 0; n < changes; n++) {
    const index = n % pairs;
    plan = replaced(plan, index, { identity: await pki.identity(`db-${index}.scale.example`) });
    kinds['rotation']?.push(await change(plan, `scale/pacs-${index}`));
    const before = plan;
    const hosts = [...plan.hosts, ...(await pairOf(pki, pairs + n))];
    plan = { ...plan, hosts: hosts.toSorted((a, b) => (a.fqdn < b.fqdn ? -1 : 1)) };
    kinds['addition']?.push(await change(plan, `scale/pacs-${pairs + n}`));
    plan = before;
    kinds['removal']?.push(await change(plan, `scale/pacs-${pairs + n}`));
    plan = { ...plan, trusts: [await pki.trust()] };
    kinds['crl']?.push(await change(plan, ''));
  }
  return {
    pairs,
    preflight: values.preflight,
    coldMs,
    coldBytes: cold.bytes,
    coldBlockMs,
    kinds,
    operatorRssBytes: process.memoryUsage.rss(),
    envoyRssBytes: rssBytes(supervisor.state('envoy')?.pid),
  };
}

try {
  const result = await measure(await createScalePki());
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await ingress.stop();
  rmSync(folder, { recursive: true });
}
