/** Kubernetes parts as programs on this machine: found, or built once from their Go modules (build.sh beside this). */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const version = '1.36.3';

/** What each part leaves in the folder; it is there when all its files are. */
const files = {
  etcd: ['etcd'],
  'kube-apiserver': ['kube-apiserver'],
  kubectl: ['kubectl'],
  'kube-controller-manager': ['kube-controller-manager'],
  'kube-scheduler': ['kube-scheduler'],
  kubelet: ['kubelet'],
  'kube-proxy': ['kube-proxy'],
  /** containerd with its shim and ctr, and the network plugins. */
  containers: ['cni/ptp', 'cni/portmap', 'containerd', 'containerd-shim-runc-v2', 'ctr'],
  pause: ['pause'],
  coredns: ['coredns'],
  'network-policies': ['network-policies'],
  helm: ['helm'],
  kwok: ['kwok'],
} as const satisfies Record<string, readonly string[]>;

export type KubernetesPart = keyof typeof files;

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
    const script = 'out=$1; part=$2; shift 2; for file; do [ -x "$out/$file" ] || exec "$0" "$out" "$part"; done';
    const args = ['sh', '-c', script, build, folder, part, ...files[part]];
    await run('flock', [join(folder, '.lock'), ...args], { maxBuffer: 64 * 1024 * 1024 });
  }
  return folder;
}

function missing(folder: string, parts: readonly KubernetesPart[]): KubernetesPart[] {
  return parts.filter((part) => files[part].some((file) => !existsSync(join(folder, file))));
}
