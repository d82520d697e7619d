import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConfigMap,
  type KubeObject,
  PacsLink,
  type ResourceKind,
  StatefulSet,
} from '../../resources/kubernetes/resource-kind.ts';
import { isNews } from './news.ts';
import { replicaLabel } from './watches.ts';

const object = (version: string, metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'any',
  metadata: { name: 'one', namespace: 'ns', resourceVersion: version, ...metadata },
});
const modified = (kind: ResourceKind, former: KubeObject, now: KubeObject, names: readonly string[] = []): boolean =>
  isNews(kind, { type: 'modified', object: now, former }, (key) => names.includes(key));

test('of ConfigMaps those that are named, and what another replica tells of its proxies', () => {
  assert.not.ok(modified(ConfigMap, object('1'), object('2')));
  assert.ok(modified(ConfigMap, object('1'), object('2'), ['ns/one']));
  assert.ok(modified(ConfigMap, object('1'), object('2', { labels: { [replicaLabel]: 'true' } })));
});

test('each change to a resource, and of what is made of them only what is not a status', () => {
  assert.ok(modified(PacsLink, object('1', { generation: 1 }), object('2', { generation: 1 })));
  assert.not.ok(modified(StatefulSet, object('1', { generation: 1 }), object('2', { generation: 1 })));
  assert.ok(modified(StatefulSet, object('1', { generation: 1 }), object('2', { generation: 2 })));
  assert.ok(isNews(StatefulSet, { type: 'deleted', object: object('1') }, () => false));
});

test('what is told again and did not change is none', () => {
  assert.not.ok(modified(PacsLink, object('1'), object('1')));
});

test.run();
