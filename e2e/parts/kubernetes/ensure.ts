/** Kubernetes parts as programs on this machine: found, or built once from their Go modules (build.sh beside this). */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const version = '1.36.3';

export type KubernetesPart =
  | 'etcd'
  | 'kube-apiserver'
  | 'kubectl'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy';

/**
 * The folder holding the parts. KUBEBUILDER_ASSETS wins when it has them all; else the cache, where what is missing is
 * built under a lock (200 s for the first, so two tests never build at once).
 * @throws Error when Go is missing or a build fails, with its output
 */
export async function ensureKubernetes(parts: readonly KubernetesPart[] = ['etcd', 'kube-apiserver']): Promise<string> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && missing(assets, parts).length === 0) return assets;
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'drimbox', `kubernetes-${version}`);
  if (missing(folder, parts).length === 0) return folder;
  mkdirSync(folder, { recursive: true });
  const build = join(import.meta.dirname, 'build.sh');
  for (const part of missing(folder, parts)) {
    // Looked at again under the lock: another process may have built it meanwhile.
    const script = `[ -x "$1/$2" ] || "$0" "$1" "$2"`;
    await run('flock', [join(folder, '.lock'), 'sh', '-c', script, build, folder, part], { maxBuffer: 64 * 1024 * 1024 });
  }
  return folder;
}

function missing(folder: string, parts: readonly KubernetesPart[]): KubernetesPart[] {
  return parts.filter((part) => !existsSync(join(folder, part)));
}
