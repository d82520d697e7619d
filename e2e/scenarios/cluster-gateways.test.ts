/**
 * Two gateways of one site on a real cluster and a real PostgreSQL outside of it: both serve, one publishes; one goes, is evicted, or is
 * not wanted any more, and neither the RIS nor a partner notices.
 */
import * as assert from 'uvu/assert';
import { eventually, objectsIn, type PodSeen, programPods, seen } from '../cluster/objects.ts';
import { openRehearsal } from '../cluster/rehearsal.ts';
import { killProcess } from '../cluster/processes.ts';
import { gatewayMetrics, nodePorts } from '../cluster/stage.ts';
import { allKosOf, fetchExam, fetchWhole, publishAnother, sendReport, untilServed } from '../cluster/traffic.ts';
import { namespace } from '../demo/world.ts';

const { stage, exam, current, scenario, during, run } = await openRehearsal('gateways', 2);
const { cluster, database } = stage;
const node = '/usr/local/bin/node';
const kubectl = async (...args: readonly string[]): Promise<string> => await cluster.kubectl('-n', namespace, ...args);

async function gateways(): Promise<readonly PodSeen[]> {
  return (await programPods(cluster, 'gateway')).filter(({ name }) => name.startsWith('drimbox-nord-'));
}

async function untilReady(count: number): Promise<void> {
  await eventually(`${count} gateways of nord`, async () => {
    const pods = await gateways();
    return pods.length === count && pods.every(({ ready, leaving }) => ready && !leaving);
  });
  await eventually('the site ready', async () => await current('drimboxsite/nord'));
}

/** Value of the first series with this name; 0 when there is none. */
async function metric(pod: string, name: string): Promise<number> {
  const page = await gatewayMetrics(cluster, pod);
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Refusals that the audit tells of. */
const refusedInAudit = async (): Promise<number> =>
  Number(await database?.sql(`SELECT count(*) FROM audit WHERE event = 'RetrieveRefused'`, 'nord'));

/** Traces that wait in the gateways' own directories for the database. */
async function tracesOnDisk(): Promise<number> {
  const count = `
const { readdirSync, readFileSync } = require('node:fs');
const files = readdirSync('/var/lib/drimbox').filter((name) => name.startsWith('traces-waiting-') && name.endsWith('.jsonl'));
const lines = files.flatMap((name) => readFileSync('/var/lib/drimbox/' + name, 'utf8').split('\\n'));
console.log(lines.filter((line) => line.startsWith('{')).length);`;
  const counts = await Promise.all(
    (await gateways()).map(async ({ name }) => Number(await kubectl('exec', name, '--', node, '-e', count))),
  );
  return counts.reduce((sum, one) => sum + one, 0);
}

/** Name of the one that publishes. */
async function onDuty(): Promise<string> {
  let found = '';
  await eventually('one gateway on duty', async () => {
    const names = (await gateways()).filter(({ ready }) => ready).map(({ name }) => name);
    const duties = await Promise.all(names.map(async (name) => await metric(name, 'drimbox_publication_duty')));
    found = names[duties.indexOf(1)] ?? '';
    return duties.filter((duty) => duty === 1).length === 1;
  });
  return found;
}

scenario('both serve images, by titles of their own, and the exam was published once', async () => {
  const names = (await gateways()).map(({ name }) => name);
  assert.equal(names, ['drimbox-nord-0', 'drimbox-nord-1']);
  await eventually('both have served', async () => {
    await fetchWhole(stage, exam);
    const moves = await Promise.all(names.map(async (name) => await metric(name, 'drimbox_pacs_moves_total')));
    return moves.every((count) => count > 0);
  });
  assert.is(allKosOf(stage, exam.study).length, 1);
  assert.is(await database?.sql(`SELECT count(*) FROM manifests`, 'nord'), '1');
});

during(
  'the gateway on duty deleted: what is sent arrives whole, the other takes reports and publishes at once',
  async () => {
    const former = await onDuty();
    await kubectl('delete', 'pod', former, '--wait=false');
    await publishAnother(stage);
    await sendReport(stage, exam.study);
    await fetchWhole(stage, exam);
  },
  async () => {
    await untilReady(2);
    assert.is(allKosOf(stage, exam.study).length, 1);
  },
);

scenario('a node drained keeps one gateway, which serves and publishes', async () => {
  const options = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=15s'];
  const why = await cluster.kubectl('drain', 'node', ...options).then(() => 'all evicted', String);
  assert.match(why, /disruption budget/);
  const staying = (await gateways()).filter(({ ready, leaving }) => ready && !leaving);
  assert.is(staying.length, 1);
  await publishAnother(stage);
  await fetchWhole(stage, exam);
  await cluster.kubectl('uncordon', 'node');
  await untilReady(2);
});

scenario(
  'the database gone for a while, gateways killed meanwhile: the RIS is told to send again, images wait, no refusal is forgotten',
  async () => {
    const before = await refusedInAudit();
    await database?.kill();
    await eventually('the site says why', async () => {
      const { status } = await seen(cluster, namespace, 'drimboxsite/nord');
      return status?.conditions?.some(({ reason }) => reason === 'ConnectionRefused') ?? false;
    });
    const refusal = await sendReport(stage, exam.study).then(() => 'accepted', String);
    assert.match(refusal, /MSA\|AE\|/);
    const refusals = 4;
    for (let asked = 0; asked < refusals; asked += 1) assert.is((await fetchExam(stage, exam)).status, 503);
    await eventually('each refusal on disk', async () => (await tracesOnDisk()) === refusals);
    const pods = await gateways();
    for (const pod of pods) killProcess(pod, 'gateway/main.ts');
    const restarts = (all: readonly PodSeen[]): number => all.reduce((sum, pod) => sum + pod.restarts, 0);
    await eventually('both started again', async () => restarts(await gateways()) === restarts(pods) + pods.length);
    await database?.startAgain();
    await untilReady(2);
    await eventually('each refusal in the audit', async () => (await refusedInAudit()) === before + refusals);
    await eventually('none on disk', async () => (await tracesOnDisk()) === 0);
    await untilServed(stage, exam);
    await publishAnother(stage);
  },
);

scenario('down to one gateway: the other and the Service of its titles go, the archive stays', async () => {
  const before = await database?.sql('SELECT count(*) FROM manifests', 'nord');
  // All titles are of the one that stays: the PACS is told first where they are from now on.
  await stage.sites[0]?.orthanc.addModality('NORD_DRIM2', {
    aeTitle: 'NORD_DRIM2',
    host: cluster.nodeAddress,
    port: nodePorts.nord.dimse,
  });
  await kubectl('patch', 'drimboxsite', 'nord', '--type=merge', '-p', JSON.stringify({ spec: { replicas: 1 } }));
  await untilReady(1);
  await eventually('its Service gone', async () => {
    const services = await objectsIn(cluster, namespace, ['service']);
    return services.includes('service/drimbox-nord-dimse-0') && !services.includes('service/drimbox-nord-dimse-1');
  });
  assert.is(await database?.sql('SELECT count(*) FROM manifests', 'nord'), before);
  await untilServed(stage, exam);
  await fetchWhole(stage, exam);
  await publishAnother(stage);
});

run();
