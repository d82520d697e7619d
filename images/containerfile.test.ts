/** images/Containerfile says the same as the script: it must not drift where it repeats it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { entrypoint, environment, imagePrograms, places, user } from './program.ts';

const root = join(import.meta.dirname, '..');
const text = readFileSync(join(import.meta.dirname, 'Containerfile'), 'utf8');

/** Lines of the stage called `name`. */
function stage(name: string): string[] {
  const found = text.split(/^(?=FROM )/m).find((each) => each.split('\n')[0]?.endsWith(` AS ${name}`));
  if (found === undefined) throw new Error(`no stage ${name}`);
  return found.split('\n');
}

function value(lines: readonly string[], word: string): string {
  return lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? '';
}

for (const program of imagePrograms)
  test(`${program.name}: entrypoint, environment, user and folder are those of the script`, () => {
    const lines = stage(program.name);
    assert.equal(JSON.parse(value(lines, 'ENTRYPOINT')), entrypoint(program));
    assert.equal(value(lines, 'ENV').split(' '), environment(program));
    assert.is(value(lines, 'USER'), user);
    assert.is(value(lines, 'WORKDIR'), places.app);
  });

test('envoy: entrypoint and user are those of the script', () => {
  const lines = stage('envoy');
  assert.equal(JSON.parse(value(lines, 'ENTRYPOINT')), [places.envoy]);
  assert.is(value(lines, 'USER'), user);
});

test('what is copied exists, and holds all that any image takes', () => {
  const copied = stage('build')
    .filter((line) => line.startsWith('COPY '))
    .flatMap((line) => line.split(' ').slice(1, -1));
  for (const name of copied) assert.ok(existsSync(join(root, name)), name);
  for (const name of imagePrograms.flatMap(({ sources }) => sources)) assert.ok(copied.includes(name), name);
});

test.run();
