/** How far a cluster is with going over to other images: what tests of upgrades wait for. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../parts/cluster/single-node.ts';
import { eventually, isCurrent, type Program, programPods, seen, untilPods } from './objects.ts';
import { namespace } from '../demo/world.ts';
import { systemNamespace, tagValues } from './installation.ts';

const programs: readonly Program[] = ['operator', 'ingress', 'gateway'];

async function imagesOf(cluster: Cluster, program: Program): Promise<readonly string[]> {
  return (await programPods(cluster, program)).map(({ image }) => image);
}

/** With two operators, two proxies and a download under way: new ones are there, and the gateway of nord was told to go. */
export async function untilOffered(cluster: Cluster, tag: string): Promise<void> {
  const count = async (program: Program): Promise<number> =>
    (await imagesOf(cluster, program)).filter((image) => image.endsWith(`:${tag}`)).length;
  await eventually('new operators', async () => (await count('operator')) === 2);
  await eventually('new proxies beside the old', async () => (await count('ingress')) === 2);
  await eventually('the gateway goes', async () =>
    (await programPods(cluster, 'gateway')).some(({ name, leaving }) => name === 'drimbox-nord-0' && leaving),
  );
  await sleep(8_000); // past its goodbye
}

/** Two of each program, all of that image, and the sites Ready. */
export async function untilRolled(cluster: Cluster, tag: string): Promise<void> {
  for (const program of programs)
    await eventually(`no ${program} of the former image`, async () =>
      (await imagesOf(cluster, program)).every((image) => image.endsWith(`:${tag}`)),
    );
  for (const program of programs) await untilPods(cluster, program, 2);
  for (const site of ['nord', 'sud'])
    await eventually(`${site} ready`, async () => isCurrent(await seen(cluster, namespace, `drimboxsite/${site}`)));
}

/** @param chart folder of another version: values that only the new chart knows get its defaults */
export async function upgrade(cluster: Cluster, chart: string, tag: string): Promise<void> {
  const values = tagValues(tag).flatMap((value) => ['--set', value]);
  await cluster.helm('upgrade', 'drimbox', chart, '-n', systemNamespace, '--reset-then-reuse-values', ...values);
}
