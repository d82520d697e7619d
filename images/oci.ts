/**
 * OCI image layouts (image-spec 1.1) written without a daemon, a registry or root, and the archive of one, which
 * `ctr images import`, `podman load` and `skopeo copy oci-archive:` take.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TarEntry, writeTar, type Written } from './tar.ts';

export interface LayerContent {
  /** What the layer holds, for the history. */
  readonly title: string;
  readonly entries: readonly TarEntry[];
}

export interface ImageContent {
  /** `drimbox.dev/gateway:0.1.0`. */
  readonly reference: string;
  /** Lowest first. */
  readonly layers: readonly LayerContent[];
  readonly entrypoint: readonly string[];
  readonly environment: readonly string[];
  readonly workingDirectory: string;
  /** `uid:gid`. */
  readonly user: string;
  /** OCI annotations; they are the image's labels too. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface BuiltImage {
  readonly reference: string;
  /** `sha256:HEX` of the manifest. */
  readonly digest: string;
  /** Bytes of all layers. */
  readonly size: number;
  readonly layers: readonly (Written & { readonly title: string })[];
  /** OCI layout, a folder. */
  readonly layout: string;
  /** The layout as one tar file. */
  readonly archive: string;
}

const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  index: 'application/vnd.oci.image.index.v1+json',
} as const;

/**
 * Writes `DIRECTORY/NAME` (layout) and `DIRECTORY/NAME.tar` (archive), in place of those of an earlier build.
 * @param time of everything inside, in seconds since 1970
 */
export function writeImage(directory: string, name: string, image: ImageContent, time: number): BuiltImage {
  const layout = join(directory, name);
  rmSync(layout, { recursive: true, force: true });
  const blobs = join(layout, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const layers = image.layers.map(({ title, entries }) => ({ title, ...writeLayer(blobs, entries, time) }));
  const created = new Date(time * 1000).toISOString().replace('.000Z', 'Z');
  const config = writeBlob(blobs, {
    created,
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: image.user,
      Env: image.environment,
      Entrypoint: image.entrypoint,
      WorkingDir: image.workingDirectory,
      Labels: image.annotations,
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(({ title }) => ({ created, created_by: title })),
  });
  const manifest = writeBlob(blobs, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...config },
    layers: layers.map(({ digest, size }) => ({ mediaType: types.layer, digest, size })),
    annotations: image.annotations,
  });
  const index = {
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [
      {
        mediaType: types.manifest,
        ...manifest,
        platform: { architecture: 'amd64', os: 'linux' },
        annotations: {
          'io.containerd.image.name': image.reference,
          'org.opencontainers.image.ref.name': image.reference,
        },
      },
    ],
  };
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const archive = `${layout}.tar`;
  writeTar(archive, layoutEntries(layout), time);
  const size = layers.reduce((total, layer) => total + layer.size, 0);
  return { reference: image.reference, digest: manifest.digest, size, layers, layout, archive };
}

/** A layer has its digest for a name, known only once it is written. */
function writeLayer(blobs: string, entries: readonly TarEntry[], time: number): Written {
  const file = join(blobs, '.layer');
  const written = writeTar(file, entries, time);
  renameSync(file, join(blobs, hex(written.digest)));
  return written;
}

function writeBlob(blobs: string, content: object): Written {
  const bytes = Buffer.from(JSON.stringify(content));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  writeFileSync(join(blobs, hex(digest)), bytes);
  return { digest, size: bytes.length };
}

function hex(digest: string): string {
  return digest.slice('sha256:'.length);
}

function layoutEntries(layout: string): TarEntry[] {
  const file = (name: string): TarEntry => ({ kind: 'file', name, mode: 0o644, content: { path: join(layout, name) } });
  const blobs = readdirSync(join(layout, 'blobs/sha256')).toSorted();
  return [file('oci-layout'), file('index.json'), ...blobs.map((name) => file(`blobs/sha256/${name}`))];
}
