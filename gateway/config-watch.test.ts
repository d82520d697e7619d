import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exampleConfig } from '../common/contract/example-config.ts';
import type { GatewayConfig } from '../common/contract/gateway-config.ts';
import { type ConfigWatch, watchConfig } from './config-watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'drimbox-config-'));
test.after(() => rmSync(folder, { recursive: true }));

/** As the kubelet shows a volume: a folder per state, and one link that is swapped. */
function show(volume: string, state: string, text: string): void {
  mkdirSync(join(volume, state), { recursive: true });
  writeFileSync(join(volume, state, 'config.json'), text);
  symlinkSync(state, join(volume, '..new'));
  renameSync(join(volume, '..new'), join(volume, '..data'));
}

function textOf(revision: string): string {
  return JSON.stringify({ ...exampleConfig, revision });
}

interface Heard {
  readonly accepted: string[];
  readonly again: boolean[];
  readonly refused: string[];
}

function watching(file: string, current: string, takes: (config: GatewayConfig) => boolean): [ConfigWatch, Heard] {
  const heard: Heard = { accepted: [], again: [], refused: [] };
  const watch = watchConfig(file, current, {
    accepted: async (config, again) => {
      heard.accepted.push(config.revision);
      heard.again.push(again);
      return await Promise.resolve(takes(config));
    },
    refused: (revision) => heard.refused.push(revision),
  });
  return [watch, heard];
}

test('a mounted volume that is swapped is read anew; a bad document is refused and the next good one taken', async () => {
  const volume = join(folder, 'swapped');
  const [one, two] = [textOf('r1'), textOf('r2')];
  show(volume, '..1', one);
  symlinkSync('..data/config.json', join(volume, 'config.json'));
  const [watch, heard] = watching(join(volume, 'config.json'), one, () => true);
  show(volume, '..2', '{"revision":"bad"}');
  await watch.check();
  show(volume, '..3', two);
  await watch.check();
  await watch.check();
  watch.stop();
  assert.equal(heard.accepted, ['r2']);
  assert.equal(heard.refused, ['bad']);
});

test('what can not be put into force as yet is tried again, and known as a second attempt', async () => {
  const file = join(folder, 'config.json');
  const one = textOf('r1');
  writeFileSync(file, one);
  let arrived = false;
  const [watch, heard] = watching(file, one, () => arrived);
  writeFileSync(file, textOf('r2'));
  await watch.check();
  await watch.check();
  arrived = true;
  await watch.check();
  await watch.check();
  watch.stop();
  const attempts = heard.accepted.length;
  assert.ok(attempts >= 3 && heard.accepted.every((revision) => revision === 'r2'));
  assert.equal(heard.again, [false, ...Array.from({ length: attempts - 1 }, () => true)]);
  assert.equal(heard.refused, []);
});

test.run();
