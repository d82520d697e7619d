/** The base for Kustomize and the example of a cluster, built by the real kubectl and taken by a real API server. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { type Kube, startKube } from '../parts/kube.ts';
import { ensureKubernetes } from '../parts/kubernetes/ensure.ts';
import { apiPath, find, type Rendered } from './chart.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const kube: Kube = await startKube();
const folder = mkdtempSync(join(tmpdir(), 'drimbox-kustomize-'));
test.after(async () => {
  await kube.stop();
  rmSync(folder, { recursive: true });
});

async function build(path: string): Promise<Rendered[]> {
  const kubectl = join(await ensureKubernetes(['kubectl']), 'kubectl');
  const { stdout } = await run(kubectl, ['kustomize', path], { maxBuffer: 64 * 1024 * 1024 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Rendered);
}

/** In the order in which kubectl applies: namespaces are there before what is in them. */
async function apply(objects: readonly Rendered[]): Promise<void> {
  for (const object of objects) {
    const path = `${apiPath(object)}?fieldManager=kubectl&force=true&fieldValidation=Strict`;
    const { status, body } = await kube.request('PATCH', path, object, 'application/apply-patch+yaml');
    assert.ok(status < 300, `${object.kind} ${object.metadata.name}: ${JSON.stringify(body)}`);
  }
}

test('the CRDs are taken', async () => {
  const crds = await build(join(root, 'kustomize/crds'));
  assert.is(crds.length, 3);
  await kube.installCrds(crds);
});

test('the example of a cluster is taken: operator, ingress, two sites', async () => {
  const objects = await build(join(root, 'examples/cluster'));
  await apply(objects);
  assert.is(objects.filter(({ kind }) => kind === 'DrimboxSite').length, 2);
});

test('nothing of Helm is left in the base, and its pods belong into a namespace that is restricted', async () => {
  const objects = await build(join(root, 'kustomize/base'));
  assert.not.match(JSON.stringify(objects), /helm/i);
  const [namespace] = objects.filter(({ kind }) => kind === 'Namespace');
  assert.is(namespace?.metadata.labels?.['pod-security.kubernetes.io/enforce'], 'restricted');
});

test('another namespace reaches all of it: the account in every binding too', async () => {
  const overlay = join(folder, 'overlay');
  mkdirSync(overlay);
  const base = relative(overlay, join(root, 'kustomize/base'));
  writeFileSync(join(overlay, 'kustomization.yaml'), `namespace: elsewhere\nresources: ['${base}']\n`);
  const objects = await build(overlay);
  const bindings = objects.filter(({ kind }) => kind.endsWith('Binding'));
  assert.ok(bindings.length >= 8);
  for (const { metadata, subjects } of bindings)
    assert.equal(
      (subjects as readonly { readonly namespace: string }[]).map(({ namespace }) => namespace),
      ['elsewhere'],
      metadata.name,
    );
  for (const { kind, metadata } of objects)
    assert.ok(/^(ClusterRole|Namespace)/.test(kind) || metadata.namespace === 'elsewhere', `${kind} ${metadata.name}`);
});

test('the sites of the example are those of one host, but for what a cluster gives them', () => {
  const read = (name: string): Rendered[] =>
    parseAllDocuments(readFileSync(join(root, 'examples', name), 'utf8')).map((one) => one.toJS() as Rendered);
  const differing = new Set(['mllp', 'dimse', 'service', 'network', 'storage']);
  const common = (objects: readonly Rendered[]): unknown =>
    objects.map(({ kind, metadata, spec }) => [
      kind,
      metadata,
      Object.fromEntries(Object.entries(spec as object).filter(([field]) => !differing.has(field))),
    ]);
  for (const name of ['trust-space.yaml', 'nord.yaml', 'sud.yaml'])
    assert.equal(common(read(`cluster/${name}`)), common(read(`two-sites/${name}`)), name);
  const sud = find(read('cluster/sud.yaml'), 'DrimboxSite', 'sud');
  assert.is((sud['spec'] as { readonly service: { readonly type: string } }).service.type, 'NodePort');
});

test.run();
