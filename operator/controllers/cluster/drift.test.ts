import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { KubeObject } from '../../resources/kubernetes/resource-kind.ts';
import { writingsFor } from './drift.ts';

const own = { 'app.kubernetes.io/managed-by': 'drimbox-operator' };
const object = (metadata: Partial<KubeObject['metadata']>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name: 'x', namespace: 'ght', ...metadata },
});
const lists = ['ght test', 'ght prod', 'other test'];

test('what is not ours is nobody’s drift', () => {
  assert.equal(writingsFor({ type: 'deleted', object: object({ labels: { app: 'x' } }) }, lists), []);
  assert.equal(writingsFor({ type: 'added', object: object({ labels: own }) }, lists), []);
});

test('an object of a site that changed or went is written by its site', () => {
  const labels = { ...own, 'drimbox.dev/site': 'nord' };
  const former = object({ labels, generation: 1, resourceVersion: '1' });
  const next = object({ labels, generation: 2, resourceVersion: '2' });
  assert.equal(writingsFor({ type: 'modified', object: next, former }, lists), ['site ght/nord']);
  assert.equal(writingsFor({ type: 'deleted', object: next }, lists), ['site ght/nord']);
});

test('a label taken away is drift although nothing else changed; a status that moves is none', () => {
  const labels = { ...own, 'drimbox.dev/site': 'nord' };
  const former = object({ labels, generation: 1 });
  assert.equal(writingsFor({ type: 'modified', object: object({ generation: 1 }), former }, lists), ['site ght/nord']);
  const moved = object({ labels, generation: 1, resourceVersion: '9' });
  assert.equal(writingsFor({ type: 'modified', object: moved, former }, lists), []);
});

test('the operator’s own Secrets are put right by themselves: without the authority every gateway would get another one', () => {
  const secret = (name: string): KubeObject => ({
    ...object({ name, namespace: 'system', labels: own }),
    kind: 'Secret',
  });
  const found = ['drimbox-internal-authority', 'drimbox-ingress-control'].map((name) =>
    writingsFor({ type: 'deleted', object: secret(name) }, lists),
  );
  assert.equal(found, [['own authority'], ['own proxy']]);
});

test('a list of a namespace is written again; documents and reports look after themselves', () => {
  const former = object({ labels: own });
  assert.equal(writingsFor({ type: 'modified', object: former, former }, lists), [
    'whitelist ght test',
    'whitelist ght prod',
  ]);
  for (const label of ['drimbox.dev/document', 'drimbox.dev/replica'])
    assert.equal(writingsFor({ type: 'deleted', object: object({ labels: { ...own, [label]: 'true' } }) }, lists), []);
});

test.run();
