/** The charts and a real API server: every object is taken under strict validation, every pod by PodSecurity `restricted`. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Kube, startKube } from '../parts/kube.ts';
import { apiPath, type Rendered, render } from './chart.ts';

const kube: Kube = await startKube();
test.after(async () => await kube.stop());

async function newNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  const made = await kube.request('POST', '/api/v1/namespaces', { metadata: { name, labels } });
  assert.ok(made.status === 201 || made.status === 409, JSON.stringify(made.body));
}

/** Applied as Helm and kubectl do; what the API server said against each. */
async function refusals(objects: readonly Rendered[]): Promise<string[]> {
  const found: string[] = [];
  for (const object of objects) {
    const answer = await kube.request(
      'PATCH',
      `${apiPath(object)}?fieldManager=helm&force=true&fieldValidation=Strict`,
      object,
      'application/apply-patch+yaml',
    );
    if (answer.status >= 300)
      found.push(`${object.kind} ${object.metadata.name}: ${JSON.stringify(answer.body['message'])}`);
  }
  return found;
}

test('the CRDs of the chart are taken and kept at uninstall', async () => {
  const crds = await render({ chart: 'drimbox-crds' });
  assert.is(crds.length, 3);
  for (const { metadata } of crds) assert.is(metadata.annotations?.['helm.sh/resource-policy'], 'keep');
  await kube.installCrds(crds);
});

const variants: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  default: {},
  'a fixed node port, imported images': {
    'ingress.service': { type: 'NodePort', nodePort: 30_443 },
    'operator.replicas': 1,
    'ingress.replicas': 1,
    'images.operator.pullPolicy': 'Never',
    'images.gateway.pullPolicy': 'Never',
    'images.envoy.pullPolicy': 'Never',
  },
  'named namespaces': { watchNamespaces: ['ght', 'clinique'] },
  'inside the cluster only': { 'ingress.service.type': 'ClusterIP' },
};

for (const [name, set] of Object.entries(variants))
  test(`every object is taken: ${name}`, async () => {
    const namespace = `accepted-${Object.keys(variants).indexOf(name)}`;
    for (const one of [namespace, 'ght', 'clinique']) await newNamespace(one);
    const objects = await render({ namespace, set });
    assert.ok(objects.length > 20);
    assert.equal(await refusals(objects), []);
  });

test('pods of operator and ingress pass PodSecurity restricted', async () => {
  await newNamespace('restricted', { 'pod-security.kubernetes.io/enforce': 'restricted' });
  const loose = {
    metadata: { name: 'loose' },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  };
  const refused = await kube.request('POST', '/api/v1/namespaces/restricted/pods', loose);
  assert.is(refused.status, 403, 'the namespace judges pods');
  const deployments = (await render()).filter(({ kind }) => kind === 'Deployment');
  assert.is(deployments.length, 2);
  for (const { metadata, spec } of deployments) {
    const { template } = spec as { readonly template: { readonly spec: object } };
    const pod = { metadata: { name: metadata.name }, spec: template.spec };
    const made = await kube.request('POST', '/api/v1/namespaces/restricted/pods?fieldValidation=Strict', pod);
    assert.is(made.status, 201, JSON.stringify(made.body));
  }
});

test.run();
