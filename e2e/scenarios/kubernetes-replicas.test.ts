/** Two operators on one real API server: one writes at any time, whoever is killed, frozen, or cut off; and the API itself goes away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { linkPath } from '../bench/region-failover.ts';
import { type RegionWorld, openRegionWorld, operatorNamespace, siteNamespace } from '../bench/region-world.ts';
import type { ClusterOperatorPart } from '../parts/cluster-operator.ts';
import { freePort } from '../parts/ports.ts';
import type { RegionEnvoy } from '../parts/region-envoy.ts';
import { pathOf } from '../parts/region.ts';
import {
  allReady,
  change,
  condition,
  look,
  objectPath,
  page,
  patience,
  settled,
  untilVerdict,
  versions,
} from './kubernetes-seen.ts';
import { until } from './site.ts';

const stop = new AbortController();
const sitePath = pathOf('DrimboxSite', siteNamespace, 'site-1');
const config = objectPath('configmaps', siteNamespace, 'drimbox-site-1');
const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${operatorNamespace}/leases`;

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseTransitions?: number;
  readonly renewTime?: string;
}

interface LeaseSeen {
  readonly holder: string;
  readonly transitions: number;
  readonly renewTime: string;
}

let world: RegionWorld;
let replicas: ClusterOperatorPart[] = [];
let envoy: RegionEnvoy;
let changes = 0;
const leases: LeaseSeen[] = [];
let watching: Promise<void>;

function holder(): string {
  return leases.at(-1)?.holder ?? '';
}

async function pair(): Promise<{ readonly leader: ClusterOperatorPart; readonly other: ClusterOperatorPart }> {
  await until('a leader that runs', () => replicas.some(({ instance }) => instance === holder()), patience);
  const leader = replicas.find(({ instance }) => instance === holder());
  const other = replicas.find(({ instance }) => instance !== holder());
  assert.ok(leader && other);
  return { leader, other };
}

/** The world without this replica, and another one in its place. */
async function replace(gone: ClusterOperatorPart, instance: string): Promise<void> {
  replicas = [...replicas.filter((one) => one !== gone), await world.startOperator(instance)];
}

/** Changes the site's name; settles when its gateway's config has it and the status says so. */
async function changeLands(): Promise<void> {
  changes += 1;
  const name = `Nom ${changes}`;
  const { metadata } = await change(world.kube, sitePath, { spec: { structure: { name } } });
  await landed(name, metadata.generation);
}

/** In the config, and in the status, which also tells that the gateway has it: a poll later than all the rest. */
async function landed(name: string, generation: number | undefined): Promise<void> {
  await until(
    `${name} in the config and in the status`,
    async () => {
      const { status } = (await look(world.kube, sitePath)) ?? {};
      const text = (await look(world.kube, config))?.data?.['config.json'] ?? '{}';
      const { revision } = JSON.parse(text) as { readonly revision?: string };
      return (
        text.includes(`"${name}"`) && status?.observedGeneration === generation && status?.['revision'] === revision
      );
    },
    patience,
  );
}

test.before(async () => {
  world = await openRegionWorld({ sites: 2, pacs: 1 });
  watching = world.kube.watch(
    leasePath,
    ({ object }) => {
      const { spec } = object as { readonly spec?: LeaseSpec };
      leases.push({
        holder: spec?.holderIdentity ?? '',
        transitions: spec?.leaseTransitions ?? 0,
        renewTime: spec?.renewTime ?? '',
      });
    },
    stop.signal,
  );
  // The proxies of both are on one machine.
  const elsewhere = ['--proxy-listen', `127.0.0.1:${await freePort()}`];
  replicas = [await world.startOperator('operator-a'), await world.startOperator('operator-b', elsewhere)];
  envoy = await world.startEnvoy(replicas);
  await world.applySites(2);
  await until('every site and link Ready', async () => await allReady(world), patience);
});

test.after(async () => {
  stop.abort();
  await watching;
  await world.stop();
});

test('one of two leads, and the other writes nothing but what it tells of itself', async () => {
  const { leader, other } = await pair();
  const leads = async ({ metricsPort }: ClusterOperatorPart): Promise<number | undefined> =>
    (await page(metricsPort)).get('leader_election_master_status{name="drimbox"}');
  assert.equal([await leads(leader), await leads(other)], [1, 0]);
  const applied = async ({ metricsPort }: ClusterOperatorPart): Promise<string[]> =>
    [...(await page(metricsPort))].flatMap(([series, value]) => {
      const match = /^drimbox_resource_apply_total\{(?=.*outcome="applied").*resource="([a-z]+)"/.exec(series);
      return match?.[1] !== undefined && value > 0 ? [match[1]] : [];
    });
  assert.ok((await applied(leader)).includes('statefulsets'), (await applied(leader)).join());
  // Reports of its proxies.
  assert.equal(
    (await applied(other)).filter((resource) => resource !== 'configmaps'),
    [],
  );
});

test('proxies at both replicas: a changed link is served when each of them has it, and nothing is written of the others', async () => {
  const { kube } = world;
  const counts = await Promise.all(replicas.map(connected));
  const second = await world.startEnvoy(replicas.filter((_, index) => counts[index] === 0));
  await until(
    'a proxy at each',
    async () => (await Promise.all(replicas.map(acknowledged))).join() === '1,1',
    patience,
  );
  await until('every site and link Ready', async () => await allReady(world), patience);
  const path = linkPath(1);
  const others = async (): Promise<readonly unknown[]> =>
    Object.entries(await versions(kube)).filter(([key]) => key.startsWith('/apis/drimbox.dev/') && key !== path);
  const before = await others();
  for (const [index, slow] of [envoy, second].entries()) {
    slow.kill('SIGSTOP');
    const patch = { spec: { limits: { maxConnections: 60 + index } } };
    const { metadata } = await change(kube, path, patch);
    const told = `${metadata.generation ?? 0} Unknown NotAcknowledged`;
    const seen: string[] = [];
    await until(
      'what is said of the change',
      async () => {
        const said = condition(await look(kube, path), 'IngressProgrammed');
        seen.push(`${said?.observedGeneration ?? 0} ${said?.status} ${said?.reason}`);
        return seen.at(-1) === told;
      },
      patience,
    );
    const former = `${(metadata.generation ?? 0) - 1} True Programmed`;
    assert.equal(
      seen.filter((said) => said !== former && said !== told),
      [],
    );
    slow.kill('SIGCONT');
    await untilVerdict(kube, path, 'IngressProgrammed', 'True Programmed');
  }
  assert.is(before.length, 4);
  assert.equal(await others(), before);
  await second.stop();
});

test('the leader killed: the other one leads, once, and what changed meanwhile lands', async () => {
  const { leader, other } = await pair();
  const before = leases.at(-1)?.transitions ?? 0;
  leader.kill('SIGKILL');
  await leader.ended;
  await changeLands();
  assert.is(holder(), other.instance);
  assert.is(leases.at(-1)?.transitions, before + 1);
  // What the killed one said of its proxies speaks of nobody any more.
  const report = objectPath('configmaps', operatorNamespace, `drimbox-replica-${leader.instance}`);
  await until('its report gone', async () => (await look(world.kube, report)) === undefined, patience);
  await until('every site and link Ready', async () => await allReady(world), patience);
  await replace(leader, 'operator-c');
});

test('a leader frozen past its lease ends when it goes on, and writes nothing more', async () => {
  const { leader, other } = await pair();
  leader.kill('SIGSTOP');
  await changeLands();
  assert.is(holder(), other.instance);
  await settled(world.kube, other.metricsPort);
  const before = await versions(world.kube);
  leader.kill('SIGCONT');
  assert.is(await leader.ended, '1');
  assert.match(leader.log(), 'the lead is lost');
  assert.equal(await versions(world.kube), before);
  assert.is(holder(), other.instance);
  await replace(leader, 'operator-d');
});

test('an API server that hangs for a while changes no leader', async () => {
  const { leader } = await pair();
  const { apiserver } = world.kube;
  const before = leases.at(-1);
  // The deadline is 10 s from the last renewal: it begins with one.
  await until('a renewal', () => leases.at(-1)?.renewTime !== before?.renewTime, patience);
  apiserver.kill('SIGSTOP');
  await sleep(5_000);
  apiserver.kill('SIGCONT');
  const hung = leases.at(-1);
  await until('a renewal afterwards', () => leases.at(-1)?.renewTime !== hung?.renewTime, patience);
  assert.is(holder(), leader.instance);
  assert.is(leases.at(-1)?.transitions, before?.transitions);
  await changeLands();
});

test('an API server that was away longer than any lease: what changed before it went is done, by one leader', async () => {
  const { kube } = world;
  // Nobody looks while this is written: what was changed is found when everything is back.
  for (const { pid } of replicas) process.kill(pid, 'SIGSTOP');
  changes += 1;
  const name = `Nom ${changes}`;
  const { metadata } = await change(kube, sitePath, { spec: { structure: { name } } });
  await kube.request('DELETE', objectPath('services', siteNamespace, 'drimbox-site-1-internal'));
  await kube.restartApiserver(async () => {
    for (const { pid } of replicas) process.kill(pid, 'SIGCONT');
    await sleep(3_000);
  });
  await landed(name, metadata.generation);
  await until(
    'the Service',
    async () => (await look(kube, objectPath('services', siteNamespace, 'drimbox-site-1-internal'))) !== undefined,
    patience,
  );
  // Who waits for the lead waits as long as it takes; who had it may have had to end.
  const alive = await Promise.all(replicas.map(isAlive));
  assert.ok(alive.includes(true));
  assert.ok(replicas.some(({ instance }, index) => alive[index] === true && instance === holder()));
});

test('leadership never went back and forth: each holder held it in one piece, and each transition is one more', () => {
  const spans: LeaseSeen[] = [];
  for (const one of leases.filter(({ holder: name }) => name !== '')) {
    const last = spans.at(-1);
    if (last?.holder !== one.holder) spans.push(one);
    assert.ok(one.transitions >= (last?.transitions ?? 0));
  }
  for (const [index, one] of spans.entries())
    if (index > 0) assert.is(one.transitions, (spans[index - 1]?.transitions ?? 0) + 1);
});

async function connected({ metricsPort }: ClusterOperatorPart): Promise<number | undefined> {
  return (await page(metricsPort)).get('drimbox_proxies_connected');
}

async function acknowledged({ metricsPort }: ClusterOperatorPart): Promise<number | undefined> {
  return (await page(metricsPort)).get('drimbox_proxies_acknowledged');
}

async function isAlive({ ended }: ClusterOperatorPart): Promise<boolean> {
  return await Promise.race([ended.then(() => false), sleep(10).then(() => true)]);
}

test.run();
