import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { envoyVersion, findEnvoy } from '../e2e/parts/envoy.ts';
import { extract } from './extracted.testing.ts';
import { makeImage } from './make-images.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'drimbox-images-'));

test.after(() => rmSync(folder, { recursive: true, force: true }));

test('envoy starts with only what its image holds, and the bill of materials names its version', () => {
  const image = makeImage('envoy', { root, output: folder, envoy: findEnvoy(), time: 0, revision: undefined });
  const { root: inside, config } = extract(image.layout, join(folder, 'root'));
  assert.is(config.User, '65532:65532');
  assert.ok(image.size < 150e6);
  const [program = ''] = config.Entrypoint;
  const loader = [join(inside, 'lib64/ld-linux-x86-64.so.2'), '--library-path', join(inside, 'lib/x86_64-linux-gnu')];
  const words =
    process.getuid?.() === 0
      ? ['/usr/sbin/chroot', `--userspec=${config.User}`, inside, program]
      : [...loader, join(inside, program)];
  const [command = '', ...rest] = words;
  assert.match(execFileSync(command, [...rest, '--version'], { encoding: 'utf8' }), `/${envoyVersion}/`);
  const bill = JSON.parse(readFileSync(image.sbom, 'utf8')) as {
    readonly components: readonly { readonly purl: string }[];
  };
  const purls = bill.components.map(({ purl }) => purl);
  assert.ok(purls.includes(`pkg:github/envoyproxy/envoy@v${envoyVersion}`));
});

test('without an envoy binary the build says what to set', () => {
  const workshop = { root, output: folder, envoy: undefined, time: 0, revision: undefined };
  assert.throws(() => makeImage('envoy', workshop), /DRIMBOX_ENVOY/);
});

test.run();
