/**
 * The main job through pods, Services, Envoy and Helm on a real Kubernetes of one node. Needs root and Debian's runc, iptables,
 * conntrack: where they are missing this test fails and says what to install, it does not pass.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ClusterStage, openClusterStage } from '../cluster/stage.ts';
import { createNarrator } from '../demo/narrator.ts';
import { runMainJob } from '../demo/scenario.ts';

const directory = mkdtempSync(join(tmpdir(), 'drimbox-cluster-'));
const narrator = createNarrator(true);
let stage: ClusterStage;

test.before(async () => {
  stage = await openClusterStage({ directory: join(directory, 'stage'), images: 60, narrator });
});
test.after(async () => {
  await stage.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('a report becomes a KOS and its series is fetched whole, through pods, Services and Envoy', async () => {
  const result = await runMainJob(stage, narrator, () => undefined);
  assert.ok(result.ok, JSON.stringify({ ...result, artefacts: undefined }));
  assert.match(result.artefacts.metrics, /drimbox_/);
});

test.run();
