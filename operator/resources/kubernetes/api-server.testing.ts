/** A real API server that can be killed and started again where it was, and the etcd beneath it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Kube, startKube } from '../../../e2e/parts/kube.ts';
import { type Part, startProcess } from '../../../e2e/parts/process.ts';
import type { ApplyObject } from './apply.ts';
import { createKubeClient, type KubeClient } from './client.ts';
import { kubeconfigAccess } from './kubeconfig-access.ts';

export interface RealApiserver {
  readonly kube: Kube;
  /** With all rights, and as fast as it can. */
  client(): Promise<KubeClient>;
  /** SIGKILL: connections are reset, nothing is said. */
  kill(): Promise<void>;
  /** Same port, same data. */
  restart(): Promise<void>;
  /** JSON gateway of etcd, behind the API server's back: `/v3/kv/compaction`. @throws Error with etcd's answer */
  etcd(path: string, body: object): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

export async function startRealApiserver(): Promise<RealApiserver> {
  const kube = await startKube();
  const [command = '', ...args] = commandLine(kube.apiserver);
  const etcdUrl = args.find((one) => one.startsWith('--etcd-servers='))?.split('=')[1] ?? '';
  let current: Part = kube.apiserver;
  return {
    kube,
    async client() {
      return createKubeClient({ access: await kubeconfigAccess(kube.kubeconfigFile), qps: 5_000, burst: 5_000 });
    },
    async kill() {
      current.kill('SIGKILL');
      await current.ended;
    },
    async restart() {
      const ready = async (): Promise<boolean> => (await kube.request('GET', '/readyz')).status === 200;
      const logFile = join(kube.directory, 'apiserver-again.log');
      current = await startProcess({ name: 'kube-apiserver', command, args, logFile, readyTimeoutMs: 90_000, ready });
    },
    async etcd(path, body) {
      const answer = await fetch(etcdUrl + path, { method: 'POST', body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as Record<string, unknown>;
    },
    async stop() {
      if (current !== kube.apiserver) await current.stop();
      await kube.stop();
    },
  };
}

export function configMap(name: string, data: Record<string, string> = {}): ApplyObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data };
}

function commandLine(part: Part): string[] {
  return readFileSync(`/proc/${part.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
}
