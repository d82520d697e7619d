/** An image as a program sees it: its layers unpacked over each other, by tar and not by our own code. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Extracted {
  readonly root: string;
  readonly config: {
    readonly User: string;
    readonly Entrypoint: readonly string[];
    readonly Env: readonly string[];
    readonly WorkingDir: string;
  };
  /** Lines of `tar -tv` over all layers: mode, owner, size, time, name. */
  readonly listing: readonly string[];
}

interface Descriptor {
  readonly digest: string;
}

export function extract(layout: string, root: string): Extracted {
  mkdirSync(root, { recursive: true });
  const blob = ({ digest }: Descriptor): string => join(layout, 'blobs', digest.replace(':', '/'));
  const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
  const index = read(join(layout, 'index.json')) as { readonly manifests: readonly Descriptor[] };
  const [first] = index.manifests;
  if (first === undefined) throw new Error(`${layout} holds no image`);
  const manifest = read(blob(first)) as { readonly config: Descriptor; readonly layers: readonly Descriptor[] };
  const { config } = read(blob(manifest.config)) as Pick<Extracted, 'config'>;
  const listing = manifest.layers.flatMap((layer) => {
    execFileSync('tar', ['-xpf', blob(layer), '-C', root]);
    const text = execFileSync('tar', ['--numeric-owner', '-tvf', blob(layer)], { encoding: 'utf8', maxBuffer: 1e8 });
    return text.trim().split('\n');
  });
  return { root, config, listing };
}
