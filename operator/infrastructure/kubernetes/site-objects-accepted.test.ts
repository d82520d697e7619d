/** A site's objects and a real API server: taken under strict validation, and its pod by PodSecurity `restricted`. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Kube, startKube } from '../../../e2e/parts/kube.ts';
import { pathOf } from '../../resources/kubernetes/resource-kind.ts';
import { siteInput } from './site-input.testing.ts';
import { siteObjects } from './site-objects.ts';

const kube: Kube = await startKube();
test.after(async () => await kube.stop());
await kube.request('POST', '/api/v1/namespaces', {
  metadata: { name: 'group', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
});

const postgres = { host: 'db', database: 'nord', credentials: { secretName: 'a' }, trust: { inline: 'PEM' } };
const shared = { replicas: 2, storage: { postgres } };

for (const spec of [
  {},
  { service: { type: 'NodePort', mllpNodePort: 30_575, dimseNodePort: 31_112 } },
  // Not the ports that Services of the one before hold.
  { ...shared, service: { type: 'NodePort', mllpNodePort: 30_576, dimseNodePort: 31_113 } },
  { ...shared, service: { type: 'LoadBalancer', allocateNodePorts: false } },
])
  test(`every object of a site is taken: ${JSON.stringify(spec)}`, async () => {
    for (const { kind, object } of siteObjects(siteInput(spec))) {
      const path = pathOf(kind, 'group', object.metadata.name);
      const answer = await kube.request(
        'PATCH',
        `${path}?fieldManager=drimbox-operator&force=true&fieldValidation=Strict`,
        object,
        'application/apply-patch+yaml',
      );
      assert.ok(answer.status < 300, `${kind.kind}: ${JSON.stringify(answer.body)}`);
    }
  });

for (const [name, spec] of Object.entries({ alone: {}, shared }))
  test(`the pod of a gateway (${name}) passes PodSecurity restricted`, async () => {
    const input = siteInput(spec);
    const settings = { ...input.settings, imagePullSecrets: ['registry'] };
    const set = siteObjects({ ...input, settings }).at(-1)?.object;
    if (set === undefined) throw new Error('a site has no objects');
    const { template } = set['spec'] as { readonly template: { readonly metadata: object; readonly spec: object } };
    const pod = { metadata: { ...template.metadata, name: `gateway-${name}` }, spec: template.spec };
    const made = await kube.request('POST', '/api/v1/namespaces/group/pods?fieldValidation=Strict', pod);
    assert.is(made.status, 201, JSON.stringify(made.body));
  });

test.run();
