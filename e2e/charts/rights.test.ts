/** What the operator may do, asked of a real API server: enough for its work and nothing that its work does not need. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Kube, startKube } from '../parts/kube.ts';
import { grant, may } from './account.ts';
import { render } from './chart.ts';

const kube: Kube = await startKube();
test.after(async () => await kube.stop());

for (const name of ['wide', 'narrow', 'ght', 'other'])
  await kube.request('POST', '/api/v1/namespaces', { metadata: { name } });
await grant(kube, await render({ namespace: 'wide' }));
await grant(kube, await render({ namespace: 'narrow', set: { watchNamespaces: ['ght'] } }));

async function answers(namespace: string, sentences: readonly string[], expected: boolean): Promise<string[]> {
  const wrong: string[] = [];
  for (const sentence of sentences) if ((await may(kube, namespace, sentence)) !== expected) wrong.push(sentence);
  return wrong;
}

/** Whatever the mode, where sites are. */
const work = [
  ...['drimboxsites', 'pacslinks'].flatMap((kind) => [
    ...['get', 'list', 'watch'].map((verb) => `${verb} ${kind}.drimbox.dev in ght`),
    `patch ${kind}/status.drimbox.dev in ght`,
  ]),
  ...[
    'services',
    'persistentvolumeclaims',
    'statefulsets.apps',
    'networkpolicies.networking.k8s.io',
    'poddisruptionbudgets.policy',
  ].flatMap((kind) => ['list', 'watch', 'create', 'patch'].map((verb) => `${verb} ${kind} in ght`)),
  // Of gateways that are one too many.
  'delete services in ght',
  ...['get', 'list', 'watch', 'create', 'patch'].map((verb) => `${verb} secrets in ght`),
  ...['get', 'list', 'watch', 'create', 'patch', 'delete'].map((verb) => `${verb} configmaps in ght`),
  ...['list', 'watch', 'patch'].map((verb) => `${verb} pods in ght`),
  'create events.events.k8s.io in ght',
  'patch events.events.k8s.io in ght',
  'update drimboxsites/finalizers.drimbox.dev in ght',
  // Of TrustSpaces, which have no namespace.
  'create events.events.k8s.io in default',
  ...['get', 'list', 'watch'].map((verb) => `${verb} trustspaces.drimbox.dev`),
  'patch trustspaces/status.drimbox.dev',
];

/** Whatever the mode, anywhere. */
const never = [
  // What people wrote is theirs.
  ...['create', 'update', 'patch', 'delete'].flatMap((verb) => [
    `${verb} drimboxsites.drimbox.dev in ght`,
    `${verb} pacslinks.drimbox.dev in ght`,
    `${verb} trustspaces.drimbox.dev`,
  ]),
  'update drimboxsites/status.drimbox.dev in ght',
  // Archives and keys outlive a mistake.
  ...['persistentvolumeclaims', 'secrets', 'pods', 'statefulsets.apps', 'poddisruptionbudgets.policy'].flatMap((kind) =>
    ['delete', 'deletecollection', 'update'].map((verb) => `${verb} ${kind} in ght`),
  ),
  'deletecollection services in ght',
  'update services in ght',
  // No way to more rights, nor into a container.
  ...['create', 'patch', 'update', 'bind', 'escalate'].flatMap((verb) => [
    `${verb} roles.rbac.authorization.k8s.io in ght`,
    `${verb} clusterroles.rbac.authorization.k8s.io`,
    `${verb} rolebindings.rbac.authorization.k8s.io in ght`,
    `${verb} clusterrolebindings.rbac.authorization.k8s.io`,
  ]),
  'impersonate users',
  'impersonate serviceaccounts in ght',
  'create serviceaccounts/token in ght',
  'create pods in ght',
  'create pods/exec in ght',
  'get pods/exec in ght',
  'get pods/log in ght',
  'get nodes',
  'list namespaces',
  'patch deployments.apps in ght',
  'create leases.coordination.k8s.io in ght',
  'create customresourcedefinitions.apiextensions.k8s.io',
  'create validatingwebhookconfigurations.admissionregistration.k8s.io',
];

for (const mode of ['wide', 'narrow']) {
  test(`${mode}: all that its work needs`, async () => {
    const lease = `leases.coordination.k8s.io`;
    const own = [
      `get ${lease} drimbox-operator in ${mode}`,
      `update ${lease} drimbox-operator in ${mode}`,
      `create ${lease} in ${mode}`,
      ...['drimbox-internal-authority', 'drimbox-ingress-control'].flatMap((secret) =>
        ['get', 'create', 'patch'].map((verb) => `${verb} secrets ${secret} in ${mode}`),
      ),
      ...['create', 'patch', 'delete', 'watch'].map((verb) => `${verb} configmaps in ${mode}`),
    ];
    assert.equal(await answers(mode, [...work, ...own], true), []);
  });

  test(`${mode}: nothing that its work does not need`, async () => {
    const leases = ['get', 'update'].map((verb) => `${verb} leases.coordination.k8s.io other in ${mode}`);
    assert.equal(await answers(mode, [...never, ...leases, `delete secrets in ${mode}`], false), []);
  });
}

test('narrow: nothing at all in namespaces that are not named', async () => {
  const elsewhere = work
    .filter((sentence) => sentence.endsWith(' in ght'))
    .map((sentence) => sentence.replace(/ght$/, 'other'));
  assert.equal(await answers('narrow', elsewhere, false), []);
  assert.equal(await answers('narrow', ['list secrets', 'watch secrets', 'list configmaps', 'list pods'], false), []);
});

test('narrow: of Secrets in its own namespace it writes only its two', async () => {
  const others = [
    'patch secrets drimbox-license in narrow',
    'create secrets in narrow',
    'create statefulsets.apps in narrow',
  ];
  assert.equal(await answers('narrow', others, false), []);
});

test('people who may edit a namespace may edit its sites, and viewers only look', async () => {
  const roles = (await render()).filter(({ metadata }) => metadata.name.includes('-people-'));
  assert.equal(
    roles.map(({ metadata, rules }) => [
      metadata.labels?.['rbac.authorization.k8s.io/aggregate-to-view'] === 'true',
      (rules as readonly { readonly verbs: readonly string[] }[]).flatMap(({ verbs }) => verbs).includes('delete'),
    ]),
    [
      [false, true],
      [true, false],
    ],
  );
});

test.run();
