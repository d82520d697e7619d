import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gatewayNodeOptions } from '../common/contract/gateway-command.ts';
import { type Extracted, extract } from './extracted.testing.ts';
import { makeImage } from './make-images.ts';
import { imagePrograms } from './program.ts';
import { namedPackages, sourceFiles, specifiers } from './source-files.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'drimbox-images-'));
const workshop = { root, envoy: undefined, time: 0, revision: 'a'.repeat(40) };
const images = imagePrograms.map((program) => {
  const image = makeImage(program.name, { ...workshop, output: join(folder, 'one') });
  return { program, image, content: extract(image.layout, join(folder, program.name)) };
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs words in the image with nothing else in sight; without root, by its own loader and libraries at least. */
function run({ root: inside, config }: Extracted, words: readonly string[]): string {
  const [program = '', ...rest] = words;
  const env = Object.fromEntries(config.Env.map((line) => line.split('=', 2)));
  if (process.getuid?.() === 0) {
    const all = [`--userspec=${config.User}`, inside, program, ...rest];
    return execFileSync('/usr/sbin/chroot', all, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }
  const loader = join(inside, 'lib64/ld-linux-x86-64.so.2');
  const moved = rest.map((word) => word.replaceAll('/app/', join(inside, 'app/')));
  const all = ['--library-path', join(inside, 'lib/x86_64-linux-gnu'), join(inside, program), ...moved];
  return execFileSync(loader, all, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

test('the same sources give the same bytes', () => {
  for (const { image, program } of images) {
    const again = makeImage(program.name, { ...workshop, output: join(folder, 'two') });
    assert.is(again.digest, image.digest);
    assert.ok(readFileSync(again.archive).equals(readFileSync(image.archive)));
    assert.ok(readFileSync(again.sbom).equals(readFileSync(image.sbom)));
  }
});

test('operator and gateway share their base layer, and ours is small', () => {
  const [one, two] = images.map(({ image }) => image.layers);
  assert.is(one?.[0]?.digest, two?.[0]?.digest);
  for (const { image } of images) {
    assert.ok(image.size < 220e6, `${image.reference}: ${image.size}`);
    assert.ok((image.layers[2]?.size ?? Infinity) < 5e6);
  }
});

test('no shell, nothing setuid, everything owned by root, run by nobody', () => {
  for (const { content } of images) {
    assert.is(content.config.User, '65532:65532');
    assert.equal(
      content.listing.filter((line) => /^.{3}[sS]|^.{6}[sS]/.test(line)),
      [],
    );
    assert.equal(
      content.listing.filter((line) => !/ 0\/0 /.test(line)),
      [],
    );
    assert.equal(
      content.listing.filter((line) => /\/(sh|bash|dash|busybox|perl|python[\d.]*)$/.test(line)),
      [],
    );
    const written = content.listing.filter((line) => /^.{8}w/.test(line) && !line.endsWith(' tmp/'));
    assert.equal(written, []);
  }
});

test('no test and no fixture goes in', () => {
  for (const { content } of images)
    assert.equal(
      content.listing.filter((line) => / app\/(?!node_modules).*(\.test\.ts|\.testing\.ts|\/fixtures\/)/.test(line)),
      [],
    );
});

test('every file of ours that the program reaches is inside', () => {
  for (const { program, content } of images) {
    const app = join(content.root, 'app');
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      assert.ok(existsSync(file), `${program.name} lacks ${relative(app, file)}`);
      const near = specifiers(readFileSync(file, 'utf8')).filter(
        (each) => each.startsWith('.') && each.endsWith('.ts'),
      );
      for (const each of near) visit(join(dirname(file), each));
    };
    visit(join(app, program.main));
    assert.ok(seen.size > 20);
  }
});

test('each program starts with only what its image holds', () => {
  // --help goes to standard error; that it ends with 0 says that every module was found
  for (const { content } of images) run(content, [...content.config.Entrypoint, '--help']);
});

test('each package the program names loads inside, those loaded late too', () => {
  for (const { content, program } of images) {
    const names = namedPackages(root, sourceFiles(root, program.sources));
    assert.ok(names.length > 3);
    const script = `const { createRequire } = require('node:module');
      const { pathToFileURL } = require('node:url');
      const near = createRequire('/app/package.json');
      const names = ${JSON.stringify(names)};
      const first = names.filter((name) => name === 'reflect-metadata'); // others look for it
      (async () => {
        for (const name of [...first, ...names]) await import(pathToFileURL(near.resolve(name)).href);
        console.log('loaded');
        process.exit(0);
      })();`;
    assert.is(run(content, ['/usr/local/bin/node', '--eval', script]), 'loaded\n', program.name);
  }
});

test('the gateway starts as on one host', () => {
  const gateway = images.find(({ program }) => program.name === 'gateway');
  assert.equal(gateway?.content.config.Entrypoint, [
    '/usr/local/bin/node',
    ...gatewayNodeOptions,
    '/app/gateway/main.ts',
  ]);
});

test('the bill of materials names each npm package that is inside, and no other', () => {
  for (const { image, content } of images) {
    const bill = JSON.parse(readFileSync(image.sbom, 'utf8')) as {
      readonly specVersion: string;
      readonly components: readonly { readonly 'bom-ref': string; readonly version: string; readonly purl: string }[];
    };
    assert.is(bill.specVersion, '1.6');
    const npm = bill.components.filter(({ purl }) => purl.startsWith('pkg:npm/'));
    const app = join(content.root, 'app');
    const inside = readdirSync(app, { recursive: true, encoding: 'utf8' })
      .filter((name) => /(^|\/)node_modules\/(@[^/]+\/)?[^@/][^/]*\/package\.json$/.test(name))
      .map((name) => ({ path: dirname(name), ...versionOf(join(app, name)) }));
    const named = npm.map((each) => `${each['bom-ref']} ${each.version}`).toSorted();
    assert.equal(named, inside.map(({ path, version }) => `${path} ${version}`).toSorted());
    for (const name of ['libc6', 'libstdc++6', 'ca-certificates'])
      assert.ok(
        bill.components.some(({ purl }) => purl.startsWith(`pkg:deb/debian/${name}@`)),
        name,
      );
    assert.ok(bill.components.some(({ purl }) => purl.startsWith('pkg:generic/node@24.')));
  }
});

function versionOf(file: string): { readonly version: string } {
  return JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
}

test.run();
