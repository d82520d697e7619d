/**
 * Nodes without machines (KWOK), and what makes pods for them: Kubernetes' own controllers of StatefulSets and nodes, and its scheduler. Pods are as a real
 * cluster makes them, late, scheduled and labelled by it; only their containers are said to run.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startControllerManager } from './controller-manager.ts';
import type { Kube } from './kube.ts';
import { ensureKubernetes } from './kubernetes/ensure.ts';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

export interface Kwok {
  stop(): Promise<void>;
}

/** Of one node; a thousand small pods are within it. */
const capacity = { cpu: '256', memory: '2Ti', pods: '1000' };

/** @param nodes how many @throws Error with the log of what does not start */
export async function startKwok(kube: Kube, nodes: number): Promise<Kwok> {
  const binaries = await ensureKubernetes(['kube-scheduler', 'kwok']);
  for (let number = 1; number <= nodes; number += 1)
    await kube.request('POST', '/api/v1/nodes', {
      metadata: { name: `kwok-${number}`, annotations: { 'kwok.x-k8s.io/node': 'fake' } },
      status: { capacity, allocatable: capacity },
    });
  const parts: Part[] = [];
  const stop = async (): Promise<void> => {
    for (const part of parts.splice(0).toReversed()) await part.stop();
  };
  try {
    parts.push(await startNodes(kube, binaries));
    parts.push(await startScheduler(kube, binaries));
    // a new node is tainted until its own controller has seen that it is ready
    parts.push(await startControllerManager(kube, ['statefulset-controller', 'node-lifecycle-controller']));
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startNodes(kube: Kube, binaries: string): Promise<Part> {
  const port = await freePort();
  return await startProcess({
    name: 'kwok',
    command: join(binaries, 'kwok'),
    args: [
      `--kubeconfig=${kube.kubeconfigFile}`,
      `--config=${join(import.meta.dirname, 'kwok-stages.yaml')}`,
      '--manage-all-nodes=true',
      '--node-ip=127.0.0.1',
      `--server-address=127.0.0.1:${port}`,
    ],
    logFile: join(kube.directory, 'kwok.log'),
    ready: async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok,
  });
}

async function startScheduler(kube: Kube, binaries: string): Promise<Part> {
  const port = await freePort();
  const file = join(kube.directory, 'scheduler.json');
  // Nobody makes volumes here: a claim that stays pending must not keep its pod.
  const disabled = ['VolumeBinding', 'VolumeZone', 'VolumeRestrictions', 'NodeVolumeLimits'].map((name) => ({ name }));
  const configuration = {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    clientConnection: { kubeconfig: kube.kubeconfigFile, qps: 500, burst: 500 },
    leaderElection: { leaderElect: false },
    profiles: [{ schedulerName: 'default-scheduler', plugins: { multiPoint: { disabled } } }],
  };
  await writeFile(file, JSON.stringify(configuration));
  return await startProcess({
    name: 'kube-scheduler',
    command: join(binaries, 'kube-scheduler'),
    args: [
      `--config=${file}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(kube.directory, 'scheduler')}`,
    ],
    logFile: join(kube.directory, 'scheduler.log'),
    ready: (said) => said().includes('Serving securely'),
  });
}
