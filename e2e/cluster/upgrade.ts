/** `./drimbox e2e upgrade`: another version in service on a real Kubernetes, upgraded to this one and brought back, during downloads. */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createNarrator, type Narrator } from '../demo/narrator.ts';
import { programPods } from './objects.ts';
import { releaseOf, thisRelease } from './release.ts';
import { untilOffered, untilRolled, upgrade } from './rollout.ts';
import { systemNamespace } from './installation.ts';
import { type ClusterStage, openClusterStage } from './stage.ts';
import {
  allKosOf,
  type Exam,
  fetchWhole,
  publishAnother,
  publishExam,
  untilServed,
  whileDownloading,
} from './traffic.ts';
import { runCommand } from '../tools/command.ts';

const usage = `usage: drimbox e2e upgrade --from REVISION [--json]

Takes the sources of REVISION (a tag or commit of this repository), builds its images, installs its charts on a real single-node
Kubernetes with two sites in service, then, each time while a partner downloads 600 images at a crawl:

  1. upgrades CRDs and chart to this version: the download arrives whole; exams published before are served, new ones published
  2. brings the chart back (the CRDs stay, as docs/install.md says): the download arrives whole; exams published by both versions are
     served, new ones published

No KOS may be published twice. Needs root, as e2e cluster does, git with the history, and npm.

Exit codes: 0 every step is as it should be, 1 one is not, 2 wrong usage.
`;

/** @returns the exams, one published by each in its turn @throws Error naming what is not as it should be */
async function rehearse(stage: ClusterStage, root: string, narrator: Narrator): Promise<readonly Exam[]> {
  const { cluster } = stage;
  const exams: Exam[] = [];
  const sound = async (tag: 'former' | 'present'): Promise<void> => {
    await untilRolled(cluster, tag);
    for (const exam of exams) {
      await untilServed(stage, exam);
      await fetchWhole(stage, exam);
    }
    exams.push(await publishAnother(stage));
    const twice = exams.filter(({ study }) => allKosOf(stage, study).length !== 1);
    if (twice.length > 0) throw new Error(`${twice.length} exams with another number of KOS than one`);
  };
  const first = await narrator.step('an exam published', () => publishExam(stage));
  exams.push(first);
  await narrator.step('the former version in service', () => sound('former'));
  await narrator.step('upgraded during a download', () =>
    whileDownloading(stage, first, async () => {
      await cluster.helm('upgrade', 'drimbox-crds', join(root, 'charts/drimbox-crds'), '--wait');
      await upgrade(cluster, join(root, 'charts/drimbox'), 'present');
      await untilOffered(cluster, 'present');
    }),
  );
  await narrator.step('this version in service', () => sound('present'));
  await narrator.step('brought back during a download', () =>
    whileDownloading(stage, first, async () => {
      await cluster.helm('rollback', 'drimbox', '1', '-n', systemNamespace);
      await untilOffered(cluster, 'former');
    }),
  );
  await narrator.step('the former version in service again', () => sound('former'));
  return exams;
}

async function run(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      from: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { from, json } = values;
  if (values.help || from === undefined) {
    process.stderr.write(usage);
    return values.help ? 0 : 2;
  }
  const directory = resolve('.drimbox', `upgrade-${process.pid}`);
  const narrator = createNarrator(json);
  let stage: ClusterStage | undefined;
  try {
    const former = await narrator.step(`sources, packages and images of ${from}`, () =>
      releaseOf(from, join(directory, 'former')),
    );
    const present = await thisRelease();
    stage = await openClusterStage({
      directory: join(directory, 'stage'),
      images: 600,
      narrator,
      releases: { former, present },
      values: ['operator.replicas=2', 'ingress.replicas=2'],
    });
    const exams = await rehearse(stage, present.root, narrator);
    const restarts = (await programPods(stage.cluster, 'operator')).reduce((sum, pod) => sum + pod.restarts, 0);
    const summary = { ok: restarts === 0, from, exams: exams.length, restarts, steps: narrator.steps };
    process.stdout.write(
      json
        ? `${JSON.stringify(summary)}\n`
        : `${summary.ok ? 'as it should be' : 'NOT as it should be: operators restarted'}\n`,
    );
    return summary.ok ? 0 : 1;
  } finally {
    await stage?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

await runCommand('drimbox e2e upgrade', usage, () => run(process.argv.slice(2)));
