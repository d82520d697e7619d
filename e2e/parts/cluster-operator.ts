/** `operator cluster` as it runs in a pod: a service account of its own in a folder, flags, and pages that say how it is. */
import { operatorEnvironment, operatorNodeOptions } from '../../common/contract/operator-command.ts';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kube } from './kube.ts';
import { freePort } from './ports.ts';
import { type Part, startProcess } from './process.ts';

const root = join(import.meta.dirname, '../..');

export interface ServiceAccount {
  readonly namespace: string;
  /** With token, ca.crt and namespace. */
  readonly folder: string;
}

/** Makes the namespace and an account that may do everything: what rights are needed is another test's question. */
export async function makeServiceAccount(kube: Kube, namespace: string): Promise<ServiceAccount> {
  const name = 'drimbox-operator';
  await kube.request('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await kube.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  await kube.request('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const answer = await kube.request('POST', path, { spec: { expirationSeconds: 86_400 } });
  const { token } = (answer.body['status'] ?? {}) as { readonly token?: string };
  if (token === undefined) throw new Error(`no token: ${JSON.stringify(answer.body)}`);
  const folder = join(kube.directory, `account-${namespace}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
  writeFileSync(join(folder, 'namespace'), namespace);
  writeFileSync(join(folder, 'ca.crt'), readFileSync(join(kube.directory, 'pki', 'ca.crt')));
  return { namespace, folder };
}

export interface ClusterOperatorPart extends Part {
  readonly instance: string;
  readonly controlPort: number;
  readonly metricsPort: number;
}

export interface ClusterOperatorOptions {
  readonly kube: Kube;
  readonly account: ServiceAccount;
  readonly instance: string;
  /** Where the sites are. */
  readonly namespaces: readonly string[];
  readonly gatewayUrl: string;
  readonly logFile: string;
  /** Of the proxies' public listener. */
  readonly proxyPort: number;
  readonly flags?: readonly string[];
  readonly nodeFlags?: readonly string[];
}

export async function startClusterOperator(options: ClusterOperatorOptions): Promise<ClusterOperatorPart> {
  const { kube, account, instance } = options;
  const [controlPort, metricsPort] = [await freePort(), await freePort()];
  const { hostname, port } = new URL(kube.url);
  const part = await startProcess({
    name: `operator ${instance}`,
    command: process.execPath,
    args: [
      ...operatorNodeOptions,
      ...(options.nodeFlags ?? []),
      join(root, 'operator/main.ts'),
      'cluster',
      '--service-account',
      account.folder,
      '--gateway-image',
      'registry.example/drimbox-gateway:test',
      '--namespaces',
      options.namespaces.join(','),
      '--instance',
      instance,
      '--control',
      `127.0.0.1:${controlPort}`,
      '--metrics',
      `127.0.0.1:${metricsPort}`,
      '--proxy-listen',
      `127.0.0.1:${options.proxyPort}`,
      '--gateway-url',
      options.gatewayUrl,
      ...(options.flags ?? []),
    ],
    env: { ...operatorEnvironment, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    logFile: options.logFile,
    stopTimeoutMs: 30_000,
    ready: async () => (await fetch(`http://127.0.0.1:${metricsPort}/livez`)).ok,
  });
  return Object.assign(part, { instance, controlPort, metricsPort });
}
