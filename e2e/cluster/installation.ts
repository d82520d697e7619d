/** Our charts on a cluster of the tests, as an SRE would install them. */
import { join } from 'node:path';
import type { Cluster } from '../parts/cluster/single-node.ts';

const root = join(import.meta.dirname, '../..');
const release = 'drimbox';
export const systemNamespace = 'drimbox-system';
/** On every node. */
export const ingressNodePort = 30_443;

/** Values that make the chart take images of this tag. */
export function tagValues(tag: string): readonly string[] {
  return ['operator', 'gateway', 'envoy'].map((name) => `images.${name}.tag=${tag}`);
}

/** PodSecurity "restricted" is enforced in it: whatever is not, does not start. */
export async function restrictedNamespace(cluster: Cluster, name: string): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  await cluster.kubectlWith(JSON.stringify(namespace), 'create', '-f', '-');
}

/** As an SRE would, with images that are there already and one node. */
export async function install(cluster: Cluster, values: readonly string[], sources = root): Promise<void> {
  await cluster.helm('install', 'drimbox-crds', join(sources, 'charts/drimbox-crds'), '--wait');
  const set = [
    'images.operator.pullPolicy=Never',
    'images.gateway.pullPolicy=Never',
    'images.envoy.pullPolicy=Never',
    'operator.replicas=1',
    'ingress.replicas=1',
    'ingress.service.type=NodePort',
    `ingress.service.nodePort=${ingressNodePort}`,
    ...values,
  ];
  await restrictedNamespace(cluster, systemNamespace);
  await cluster.helm(
    'install',
    release,
    join(sources, 'charts/drimbox'),
    '--namespace',
    systemNamespace,
    ...set.flatMap((value) => ['--set', value]),
  );
}
