/** Proxies, gateways and nodes that go, upgrades and their return, while a partner downloads 600 images at a crawl: all must arrive. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { eventually, type PodSeen, programPods, untilPods } from '../cluster/objects.ts';
import { openRehearsal } from '../cluster/rehearsal.ts';
import { appVersionOf, tagImages } from '../cluster/release.ts';
import { untilOffered, untilRolled, upgrade } from '../cluster/rollout.ts';
import { systemNamespace } from '../cluster/installation.ts';
import {
  allKosOf,
  fetchWhole,
  handshakes,
  publishAnother,
  sendReport,
  type SlowDownload,
  untilServed,
} from '../cluster/traffic.ts';
import { fqdnOf, namespace } from '../demo/world.ts';

const { stage, exam, system, current, scenario, during, run } = await openRehearsal('pods');
const { cluster } = stage;
const authorities = readFileSync(stage.services.pki.bundleFile, 'utf8');

/** Name of the proxy through which a download goes, by the node's own table of connections. */
async function proxyOf({ localPort }: SlowDownload): Promise<string> {
  const table = await cluster.inNetwork('conntrack', '-L', '-p', 'tcp', '--orig-port-src', String(localPort));
  const pod = (await programPods(cluster, 'ingress')).find(({ address }) => table.includes(`src=${address} `));
  if (pod === undefined) throw new Error(`no proxy in ${table}`);
  return pod.name;
}

/** What its sidecar says until its pod is gone. */
let lastWords: Promise<string> | undefined;

during('a proxy deleted: the download through it arrives whole, the other one takes new connections', async (slow) => {
  const shaking = handshakes(stage, fqdnOf('db', 'nord'), authorities);
  try {
    const proxy = await proxyOf(slow);
    lastWords = system('logs', '--follow', proxy, '--container', 'drain');
    await system('delete', 'pod', proxy, '--wait=false');
    await eventually('another proxy', async () => {
      const others = (await programPods(cluster, 'ingress')).filter(({ name, ready }) => name !== proxy && ready);
      return others.length === 2;
    });
    await sleep(12_000); // past its goodbye: from here on it takes no new connection
    await fetchWhole(stage, exam);
    assert.ok((await programPods(cluster, 'ingress')).some(({ name, leaving }) => name === proxy && leaving));
  } finally {
    await shaking.stop();
  }
  assert.equal(shaking.failures, []);
});

scenario('it ended when nothing was under way any more, well within its time', async () => {
  const lines = (await lastWords)?.split('\n').filter((line) => line !== '') ?? [];
  const words = lines.map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string });
  assert.equal(
    words.map(({ level }) => level),
    ['info', 'info'],
  );
  assert.match(words[0]?.msg ?? '', /told to go/);
  assert.match(words[1]?.msg ?? '', /nothing is under way/);
});

const gateway = async (): Promise<PodSeen | undefined> =>
  (await programPods(cluster, 'gateway')).find(({ name }) => name === 'drimbox-nord-0');
let submissions = 0;
let predecessor: string | undefined;

during(
  'a gateway deleted: what it was sending arrives whole, its successor knows every KOS',
  async () => {
    submissions = stage.services.dmp.submissions().length;
    predecessor = (await gateway())?.uid;
    await cluster.kubectl('-n', namespace, 'delete', 'pod', 'drimbox-nord-0', '--wait=false');
    await sleep(15_000); // past its goodbye
    assert.is((await gateway())?.uid, predecessor, 'it stays until all is sent');
  },
  async () => {
    await eventually('its successor', async () => {
      const pod = await gateway();
      return pod !== undefined && pod.uid !== predecessor && pod.ready;
    });
    await eventually('the site ready', async () => await current('drimboxsite/nord'));
    await untilServed(stage, exam);
    await fetchWhole(stage, exam);
    await sendReport(stage, exam.study);
    await publishAnother(stage);
    assert.is(allKosOf(stage, exam.study).length, 1);
    assert.is(stage.services.dmp.submissions().length, submissions + 1, 'of the other exam alone');
  },
);

const root = join(import.meta.dirname, '../..');

during(
  'chart upgraded, with CRDs that have a field more: a download is not cut',
  async () => {
    await tagImages(cluster, root, 'next');
    await addField();
    await upgrade(cluster, join(root, 'charts/drimbox'), 'next');
    await untilOffered(cluster, 'next');
  },
  async () => {
    await untilRolled(cluster, 'next');
    await untilServed(stage, exam);
  },
);

during(
  'chart rolled back: a download is not cut',
  async () => {
    await cluster.helm('rollback', 'drimbox', '1', '-n', systemNamespace);
    await untilOffered(cluster, appVersionOf(root));
  },
  async () => {
    await untilRolled(cluster, appVersionOf(root));
    await untilServed(stage, exam);
    await fetchWhole(stage, exam);
    assert.is(allKosOf(stage, exam.study).length, 1);
  },
);

async function addField(): Promise<void> {
  const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/later';
  const patch = JSON.stringify([{ op: 'add', path, value: { type: 'string', description: 'Of a later version.' } }]);
  await cluster.kubectl('patch', 'crd', 'drimboxsites.drimbox.dev', '--type=json', '-p', patch);
  await eventually('the field is known', async () => {
    const given = JSON.stringify({ spec: { later: 'given' } });
    const answer = await cluster.kubectl('-n', namespace, 'patch', 'drimboxsite', 'sud', '--type=merge', '-p', given);
    return !answer.includes('no change');
  });
  await eventually('the site with it', async () => await current('drimboxsite/sud'));
}

scenario('a node drained keeps a proxy and an operator, and all comes back with it', async () => {
  const options = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=15s'];
  const why = await cluster.kubectl('drain', 'node', ...options).then(() => 'all evicted', String);
  assert.match(why, /disruption budget/);
  for (const program of ['ingress', 'operator'] as const)
    assert.ok(
      (await programPods(cluster, program)).some(({ ready, leaving }) => ready && !leaving),
      program,
    );
  const shaking = handshakes(stage, fqdnOf('db', 'nord'), authorities);
  await eventually('handshakes', () => shaking.done() > 20);
  await shaking.stop();
  assert.equal(shaking.failures, []);
  await cluster.kubectl('uncordon', 'node');
  for (const program of ['ingress', 'operator', 'gateway'] as const) await untilPods(cluster, program, 2);
  await eventually('the site ready', async () => await current('drimboxsite/nord'));
  await untilServed(stage, exam);
  await fetchWhole(stage, exam);
});

run();
