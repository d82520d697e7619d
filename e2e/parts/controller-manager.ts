/** Kubernetes' own controllers beside an API server that has none: e.g. the one that deletes what belonged to what is gone. */
import { join } from 'node:path';
import type { Kube } from './kube.ts';
import { ensureKubernetes } from './kubernetes/ensure.ts';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

/** @param controllers as `--controllers` names them, e.g. `garbage-collector-controller` */
export async function startControllerManager(kube: Kube, controllers: readonly string[]): Promise<Part> {
  const binaries = await ensureKubernetes(['kube-controller-manager']);
  const port = await freePort();
  return await startProcess({
    name: 'kube-controller-manager',
    command: join(binaries, 'kube-controller-manager'),
    args: [
      `--kubeconfig=${kube.kubeconfigFile}`,
      `--controllers=${controllers.join(',')}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(kube.directory, 'controller-manager')}`,
    ],
    logFile: join(kube.directory, 'controller-manager.log'),
    // Its health page wants a client certificate of its own; its words do as well.
    ready: (said) => said().includes('Starting controller'),
  });
}
