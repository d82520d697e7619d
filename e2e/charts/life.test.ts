/** The charts over their life on a real API server, by the real Helm: installed, narrowed to namespaces, rolled back, uninstalled. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Kube, startKube } from '../parts/kube.ts';
import { helm } from './chart.ts';

const kube: Kube = await startKube();
test.after(async () => await kube.stop());
const at = ['--kubeconfig', kube.kubeconfigFile, '--namespace', 'drimbox'];
const rbac = '/apis/rbac.authorization.k8s.io/v1';

async function names(path: string): Promise<string[]> {
  const items = (await kube.request('GET', path)).body['items'] as readonly { readonly metadata: { name: string } }[];
  return items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('drimbox'));
}

const wide = ['documents', 'events', 'pods', 'secrets', 'sites', 'workloads'].map(
  (concern) => `drimbox-operator-drimbox-${concern}`,
);

async function clusterRoles(): Promise<string[]> {
  return (await names(`${rbac}/clusterroles`)).filter((name) => !name.includes('-people-'));
}

test('installed: CRDs served, notes that say what to do next', async () => {
  await kube.request('POST', '/api/v1/namespaces', { metadata: { name: 'ght' } });
  await helm('install', 'drimbox-crds', 'charts/drimbox-crds', '--create-namespace', ...at);
  const notes = await helm('install', 'drimbox', 'charts/drimbox', ...at, '--set', 'ingress.service.type=NodePort');
  assert.match(notes, /rollout status deployment\/drimbox-operator/);
  assert.match(notes, /any node, port/);
  assert.not.match(notes, /CRDs are not there/);
  assert.equal(new Set(await clusterRoles()), new Set([...wide, 'drimbox-operator-drimbox-trust']));
});

test('narrowed to namespaces: nothing of the cluster stays but trust spaces', async () => {
  await helm('upgrade', 'drimbox', 'charts/drimbox', ...at, '--reuse-values', '--set', 'watchNamespaces={ght}');
  assert.equal(await clusterRoles(), ['drimbox-operator-drimbox-trust']);
  assert.equal(
    (await names(`${rbac}/clusterrolebindings`)).filter((name) => wide.includes(name)),
    [],
  );
  assert.equal(new Set(await names(`${rbac}/namespaces/ght/roles`)), new Set(wide));
});

test('rolled back: as it was', async () => {
  await helm('rollback', 'drimbox', '1', ...at);
  assert.equal(new Set(await clusterRoles()), new Set([...wide, 'drimbox-operator-drimbox-trust']));
  assert.equal(await names(`${rbac}/namespaces/ght/roles`), []);
});

test('uninstalled: CRDs and what people wrote stay, of the chart nothing', async () => {
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await helm('uninstall', 'drimbox', ...at);
  await helm('uninstall', 'drimbox-crds', ...at);
  const kept = (await kube.request('GET', crds)).body['items'] as readonly { readonly metadata: { name: string } }[];
  assert.equal(
    kept.map(({ metadata }) => metadata.name).toSorted((a, b) => a.localeCompare(b)),
    ['drimboxsites.drimbox.dev', 'pacslinks.drimbox.dev', 'trustspaces.drimbox.dev'],
  );
  assert.equal(await names(`${rbac}/clusterroles`), []);
  for (const path of ['/apis/apps/v1/namespaces/drimbox/deployments', '/api/v1/namespaces/drimbox/services'])
    assert.equal(await names(path), []);
  // Kept ones are taken over by the next installation of the same name.
  await helm('install', 'drimbox-crds', 'charts/drimbox-crds', ...at);
});

test.run();
