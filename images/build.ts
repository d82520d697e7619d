/** `./drimbox images`: container images as OCI layouts and archives, without daemon, registry or root. Exit codes: 0, 1, 2. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ImageName, makeImage } from './make-images.ts';

const usage = `usage: drimbox images [--output DIR] [--only NAME] [--json]

Builds drimbox.dev/operator, drimbox.dev/gateway and drimbox.dev/envoy, each as
  DIR/NAME           an OCI image layout
  DIR/NAME.tar       the same as an archive, for: ctr images import, podman load, skopeo copy oci-archive:
  DIR/NAME.cdx.json  its bill of materials (CycloneDX 1.6)

  --output DIR   where to (default: ./images-out)
  --only NAME    operator, gateway or envoy
  --json         references, digests, sizes in bytes and files as JSON

The same sources give the same bytes: times inside are SOURCE_DATE_EPOCH (seconds), or 0.`;

const names: readonly ImageName[] = ['operator', 'gateway', 'envoy'];
const root = join(import.meta.dirname, '..');

/** Undefined outside a git repository: a release archive has none. */
function gitRevision(): string | undefined {
  try {
    return execFileSync('git', ['-C', root, 'rev-parse', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined; // no repository or no git: the image carries no revision
  }
}

function epoch(text: string | undefined): number {
  const seconds = Number(text ?? 0);
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new Error(`SOURCE_DATE_EPOCH must be whole seconds since 1970: '${text}'`);
  return seconds;
}

function run(): number {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', default: 'images-out' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const chosen = names.filter((name) => values.only === undefined || name === values.only);
  if (chosen.length === 0) {
    process.stderr.write(`drimbox images: --only takes ${names.join(', ')}; not '${values.only}'\n`);
    return 2;
  }
  const time = epoch(process.env['SOURCE_DATE_EPOCH']);
  const envoy = process.env['DRIMBOX_ENVOY'];
  const workshop = { root, output: values.output, envoy, time, revision: gitRevision() };
  const images = chosen.map((name) => makeImage(name, workshop));
  if (values.json) process.stdout.write(`${JSON.stringify(images, undefined, 2)}\n`);
  else
    for (const { reference, digest, size, archive } of images)
      process.stdout.write(`${reference}  ${digest}  ${(size / 1e6).toFixed(1)} MB  ${archive}\n`);
  return 0;
}

try {
  process.exitCode = run();
} catch (error) {
  const wrongUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`drimbox images: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = wrongUsage ? 2 : 1;
}
