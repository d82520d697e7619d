/** The chart's service account on a real API server: its roles as rendered, its token as a pod would have it, and what it may do. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceAccount } from '../parts/cluster-operator.ts';
import type { Kube } from '../parts/kube.ts';
import { apiPath, type Rendered } from './chart.ts';

const name = 'drimbox-operator';
const kinds = new Set(['ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);

/** Applies what of the chart gives rights. @throws Error with the API server's words */
export async function grant(kube: Kube, objects: readonly Rendered[]): Promise<void> {
  for (const object of objects.filter(({ kind }) => kinds.has(kind))) {
    const path = `${apiPath(object)}?fieldManager=helm&force=true&fieldValidation=Strict`;
    const { status, body } = await kube.request('PATCH', path, object, 'application/apply-patch+yaml');
    if (status >= 300) throw new Error(`${object.kind} ${object.metadata.name}: ${JSON.stringify(body)}`);
  }
}

/** What the kubelet would mount. */
export async function mountAccount(kube: Kube, namespace: string): Promise<ServiceAccount> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const answer = await kube.request('POST', path, { spec: { expirationSeconds: 3_600 } });
  const { token } = (answer.body['status'] ?? {}) as { readonly token?: string };
  if (token === undefined) throw new Error(`no token: ${JSON.stringify(answer.body)}`);
  const folder = join(kube.directory, `mounted-${namespace}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
  writeFileSync(join(folder, 'namespace'), namespace);
  writeFileSync(join(folder, 'ca.crt'), readFileSync(join(kube.directory, 'pki', 'ca.crt')));
  return { namespace, folder };
}

/** `VERB RESOURCE[/SUBRESOURCE][.GROUP] [NAME] [in NAMESPACE]`, e.g. `patch drimboxsites/status.drimbox.dev in ght`. */
export async function may(kube: Kube, namespace: string, sentence: string): Promise<boolean> {
  const pattern = /^(\w+) ([a-z]+)(?:\/([a-z]+))?(?:\.([a-z0-9.]+))?(?: (?!in )(\S+))?(?: in (\S+))?$/;
  const match = pattern.exec(sentence);
  if (match === null) throw new Error(`'${sentence}': not a question about rights`);
  const [, verb, resource, subresource = '', group = '', object = '', where = ''] = match;
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${namespace}:${name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      resourceAttributes: { verb, group, resource, subresource, name: object, namespace: where },
    },
  };
  const { status, body } = await kube.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
  if (status !== 201) throw new Error(JSON.stringify(body));
  return (body['status'] as { readonly allowed: boolean }).allowed;
}
