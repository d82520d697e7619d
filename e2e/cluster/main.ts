/** `./drimbox e2e cluster`: the demo's main job through pods, Services, Envoy and Helm, on a real Kubernetes of one node. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createNarrator } from '../demo/narrator.ts';
import { runMainJob } from '../demo/scenario.ts';
import { namespace } from '../demo/world.ts';
import { systemNamespace } from './installation.ts';
import { type ClusterStage, nodePorts, openClusterStage } from './stage.ts';
import { runCommand } from '../tools/command.ts';

const usage = `usage: drimbox e2e cluster [--keep] [--images N] [--json]

Builds the images, starts a real single-node Kubernetes in namespaces of its own, installs the chart, applies two sites, and runs the
main job: a report goes in, its KOS reaches the DMP, the series is fetched and compared byte for byte with the PACS.

Needs root: the node has its own network, mount and process namespaces, and its containers their cgroups.

  --keep       stay up until Ctrl-C, and say how to talk to it
  --images N   CT images of the exam, 1 to 2000 (default 60)
  --json       one JSON object on standard output

Exit codes: 0 every step is as it should be, 1 one is not, 2 wrong usage.
`;

const root = resolve(import.meta.dirname, '../..');

function hints({ cluster }: ClusterStage): string {
  return `
Up until Ctrl-C. Talk to it:
  export KUBECONFIG=${cluster.kubeconfigFile} PATH=${cluster.binaries}:${root}/bin:$PATH
  kubectl get drimbox -A
  kubectl -n ${namespace} describe drimboxsite nord
  kubectl -n ${systemNamespace} logs deploy/drimbox-operator -f
  kubectl drimbox explain site/${namespace}/nord
  MLLP ${cluster.nodeAddress}:${nodePorts.nord.mllp}, ingress ${cluster.nodeAddress}:${nodePorts.ingress}
`;
}

async function run(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      keep: { type: 'boolean', default: false },
      images: { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const images = Number(values.images);
  if (values.help || !Number.isInteger(images) || images < 1 || images > 2000) {
    process.stderr.write(usage);
    return values.help ? 0 : 2;
  }
  const startedAt = performance.now();
  const directory = resolve('.drimbox', `cluster-${process.pid}`);
  const narrator = createNarrator(values.json);
  const stage = await openClusterStage({ directory, images, narrator });
  try {
    const { ok, report, kos, dmp, retrieve, health } = await runMainJob(stage, narrator, () => undefined);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const summary = { ok, seconds, steps: narrator.steps, report: { ack: report.ack }, kos, dmp, retrieve, health };
    process.stdout.write(
      values.json
        ? `${JSON.stringify(summary)}\n`
        : `\n${await stage.cluster.kubectl('get', 'trustspaces,drimboxsites,pacslinks', '-A')}\n${ok ? 'as it should be' : 'NOT as it should be'}, ${seconds} s\n`,
    );
    if (values.keep) {
      process.stderr.write(hints(stage));
      const told = new AbortController();
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => told.abort());
      await once(told.signal, 'abort');
    }
    return ok ? 0 : 1;
  } finally {
    await stage.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

await runCommand('drimbox e2e cluster', usage, () => run(process.argv.slice(2)));
