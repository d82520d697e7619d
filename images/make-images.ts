/** The three images and their bills of materials, from this repository, its node_modules and the Debian system it stands on. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appLayer, baseLayer } from './layers.ts';
import { debianPackages, librariesOf } from './libraries.ts';
import { type BuiltImage, writeImage } from './oci.ts';
import { type NpmPackage, packageClosure, packageFiles } from './packages.ts';
import { entrypoint, environment, imagePrograms, type ImageProgram, places, user } from './program.ts';
import { billOfMaterials, type Materials } from './sbom.ts';
import { namedPackages, sourceFiles } from './source-files.ts';

export type ImageName = 'operator' | 'gateway' | 'envoy';

export interface Workshop {
  /** The repository. */
  readonly root: string;
  /** Where the images go. */
  readonly output: string;
  /** The envoy binary; only for its image. */
  readonly envoy: string | undefined;
  /** Seconds since 1970 of everything inside (SOURCE_DATE_EPOCH). */
  readonly time: number;
  /** Git commit, when known. */
  readonly revision: string | undefined;
}

export interface MadeImage extends BuiltImage {
  readonly name: ImageName;
  /** CycloneDX 1.6 file. */
  readonly sbom: string;
}

const registry = 'drimbox.dev';

/** @throws Error when a part is missing: a library, a package, Envoy */
export function makeImage(name: ImageName, workshop: Workshop): MadeImage {
  mkdirSync(workshop.output, { recursive: true });
  const program = imagePrograms.find((each) => each.name === name);
  return program === undefined ? makeEnvoy(workshop) : makeProgram(program, workshop);
}

/** Version and licence of the product. */
function product(root: string): { readonly version: string; readonly license: string } {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly version: string;
    readonly license: string;
  };
}

function annotations(title: string, licenses: string, { root, revision }: Workshop): Record<string, string> {
  return {
    'org.opencontainers.image.title': title,
    'org.opencontainers.image.version': product(root).version,
    'org.opencontainers.image.licenses': licenses,
    'org.opencontainers.image.vendor': 'drimbox',
    ...(revision === undefined ? {} : { 'org.opencontainers.image.revision': revision }),
  };
}

const authorities = '/etc/ssl/certs/ca-certificates.crt';
/** The Debian package of the bundle: the file itself is made when it is installed, and belongs to none. */
const authoritiesOwner = '/usr/sbin/update-ca-certificates';

function makeProgram(program: ImageProgram, workshop: Workshop): MadeImage {
  const { root, output, time } = workshop;
  const files = sourceFiles(root, program.sources);
  const packages = packageClosure(root, namedPackages(root, files));
  const moduleFiles = packages.flatMap((each) => packageFiles(root, each));
  const node = realpathSync(join(root, 'node_modules/node/bin/node'));
  const base = nodeBase(node, workshop);
  const { version, license } = product(root);
  const image = writeImage(
    output,
    program.name,
    {
      reference: `${registry}/${program.name}:${version}`,
      layers: [base.layer, appLayer('npm packages', root, moduleFiles), appLayer(program.title, root, files)],
      entrypoint: entrypoint(program),
      environment: environment(program),
      workingDirectory: places.app,
      user,
      annotations: annotations(program.title, license, workshop),
    },
    time,
  );
  const nodeVersion = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  const runtime = { name: 'node', version: nodeVersion, purl: `pkg:generic/node@${nodeVersion}`, license: 'MIT' };
  return finish(program.name, image, workshop, { npm: packages, debian: base.debian, programs: [runtime] });
}

/** Shared by both programs: same content, same digest, stored and moved once. */
function nodeBase(node: string, { root }: Workshop): ReturnType<typeof base> {
  const native = packageClosure(root, ['koffi'])
    .flatMap((each) => packageFiles(root, each))
    .filter((file) => file.endsWith('.node'));
  return base('node', { place: places.node, file: node }, [node, ...native.map((file) => join(root, file))]);
}

function base(title: string, program: { readonly place: string; readonly file: string }, loading: readonly string[]) {
  const libraries = librariesOf(loading);
  const debian = debianPackages([...libraries.map(({ file }) => file), authoritiesOwner]);
  return { layer: baseLayer(title, program, libraries, authorities), debian };
}

function makeEnvoy(workshop: Workshop): MadeImage {
  const { root, output, envoy, time } = workshop;
  if (envoy === undefined) throw new Error('the Envoy image needs an envoy binary: set DRIMBOX_ENVOY');
  const file = realpathSync(envoy);
  const { layer, debian } = base('envoy', { place: places.envoy, file }, [file]);
  const image = writeImage(
    output,
    'envoy',
    {
      reference: `${registry}/envoy:${product(root).version}`,
      layers: [layer],
      entrypoint: [places.envoy],
      environment: ['PATH=/usr/local/bin', 'HOME=/tmp'],
      workingDirectory: '/',
      user,
      annotations: annotations('Envoy, as drimbox runs it', 'Apache-2.0', workshop),
    },
    time,
  );
  const words = execFileSync(file, ['--version'], { encoding: 'utf8' });
  const version = /\/(\d+\.\d+\.\d+)\//.exec(words)?.[1];
  if (version === undefined) throw new Error(`${file} does not say which Envoy it is: ${words}`);
  const program = { name: 'envoy', version, purl: `pkg:github/envoyproxy/envoy@v${version}`, license: 'Apache-2.0' };
  return finish('envoy', image, workshop, { npm: [], debian, programs: [program] });
}

function finish(
  name: ImageName,
  image: BuiltImage,
  { root, output, time }: Workshop,
  parts: Pick<Materials, 'debian' | 'programs'> & { readonly npm: readonly NpmPackage[] },
): MadeImage {
  const sbom = join(output, `${name}.cdx.json`);
  const { version } = product(root);
  const bill = billOfMaterials({ reference: image.reference, version, digest: image.digest, ...parts }, time);
  writeFileSync(sbom, `${JSON.stringify(bill, undefined, 2)}\n`);
  return { ...image, name, sbom };
}
