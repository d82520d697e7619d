/** Another version of the product, out of this repository's history: its sources, its packages and its images. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from '../parts/cluster/single-node.ts';
import { buildImages } from './images.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const maxBuffer = 1 << 26;

export interface Release {
  /** Its sources. */
  readonly root: string;
  /** Its images (OCI): operator, gateway and envoy, under their own version. */
  readonly archives: readonly string[];
}

/**
 * @param revision as git takes it: a tag, a branch, a commit
 * @param directory an absent folder
 * @throws Error when git does not know it, or its packages or images can't be made, with the words of whoever failed
 */
export async function releaseOf(revision: string, directory: string): Promise<Release> {
  const { stdout } = await run('git', ['-C', root, 'rev-parse', '--verify', `${revision}^{commit}`]);
  mkdirSync(directory, { recursive: true });
  const archive = join(directory, 'sources.tar');
  await run('git', ['-C', root, 'archive', '--output', archive, stdout.trim()]);
  const sources = join(directory, 'sources');
  mkdirSync(sources);
  await run('tar', ['-xf', archive, '-C', sources]);
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: sources, maxBuffer });
  const output = join(directory, 'images');
  const script = join(sources, 'images/build.ts');
  const node = join(sources, 'node_modules/node/bin/node');
  await run(node, ['--disable-warning=ExperimentalWarning', script, '--output', output], { cwd: sources, maxBuffer });
  const archives = readdirSync(output).filter((name) => name.endsWith('.tar'));
  return { root: sources, archives: archives.map((name) => join(output, name)) };
}

export async function thisRelease(): Promise<Release> {
  return { root, archives: await buildImages() };
}

/** Its images are known to the node by this tag. */
export async function importRelease(cluster: Cluster, release: Release, tag: string): Promise<void> {
  for (const archive of release.archives) await cluster.importImage(archive);
  await tagImages(cluster, release.root, tag);
}

/** Images that the node knows under the number of these sources have this tag too: two versions under development may share a number. */
export async function tagImages(cluster: Cluster, sources: string, tag: string): Promise<void> {
  const number = appVersionOf(sources);
  for (const name of ['operator', 'gateway', 'envoy'])
    await cluster.nameImage(`drimbox.dev/${name}:${number}`, `drimbox.dev/${name}:${tag}`);
}

/** Of the chart: the tag its images have by default. */
export function appVersionOf(sources: string): string {
  const file = join(sources, 'charts/drimbox/Chart.yaml');
  const version = /^appVersion: "?([^"\n]+)"?$/m.exec(readFileSync(file, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`${file} has no appVersion`);
  return version;
}
