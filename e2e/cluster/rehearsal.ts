/** The stage for what happens to a cluster while a partner downloads at a crawl: two operators, two proxies, an exam that is published. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import { createNarrator } from '../demo/narrator.ts';
import { namespace } from '../demo/world.ts';
import { isCurrent, seen } from './objects.ts';
import { systemNamespace } from './installation.ts';
import { type ClusterStage, openClusterStage, podsOf as whatStands } from './stage.ts';
import { type Exam, publishExam, type SlowDownload, whileDownloading } from './traffic.ts';

export interface Rehearsal {
  readonly stage: ClusterStage;
  /** 600 images, published. */
  readonly exam: Exam;
  /** kubectl in the system's namespace. */
  readonly system: (...args: readonly string[]) => Promise<string>;
  /** Whether a resource (`drimboxsite/nord`) is Ready, and its latest spec was looked at. */
  readonly current: (name: string) => Promise<boolean>;
  readonly scenario: (name: string, happens: () => Promise<void>) => void;
  /** @param happens while the exam is downloaded at a crawl, which must arrive whole @param then when it has */
  readonly during: (name: string, happens: (slow: SlowDownload) => Promise<void>, then?: () => Promise<void>) => void;
  readonly run: () => void;
}

/** @param gateways of nord */
export async function openRehearsal(title: string, gateways = 1): Promise<Rehearsal> {
  const directory = mkdtempSync(join(tmpdir(), 'drimbox-rehearsal-'));
  const stage = await openClusterStage({
    directory: join(directory, 'stage'),
    images: 600,
    gateways,
    narrator: createNarrator(true),
    values: ['operator.replicas=2', 'ingress.replicas=2'],
  });
  const { cluster } = stage;
  const exam = await publishExam(stage);
  const scenarios = suite(title);
  scenarios.after(async () => {
    await stage.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const scenario = (name: string, happens: () => Promise<void>): void => {
    scenarios(name, async () => {
      const startedAt = performance.now();
      try {
        await happens();
      } catch (error) {
        // What stands in the cluster now is gone by the time uvu tells.
        process.stderr.write(`${name}: ${inspect(error)}\n${await whatStands(cluster)}\n`);
        throw error;
      }
      process.stderr.write(`${name}: ${Math.round((performance.now() - startedAt) / 1000)} s\n`);
    });
  };
  return {
    stage,
    exam,
    system: async (...args) => await cluster.kubectl('-n', systemNamespace, ...args),
    current: async (name) => isCurrent(await seen(cluster, namespace, name)),
    scenario,
    during(name, happens, then) {
      scenario(name, async () => {
        await whileDownloading(stage, exam, happens);
        await then?.();
      });
    },
    run: () => scenarios.run(),
  };
}
