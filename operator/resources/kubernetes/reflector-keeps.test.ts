/** What the reflector keeps of what it is told. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createKubeClient, type KubeClient } from './client.ts';
import { configMap, type FakeApiserver, startFakeApiserver, until } from './fake-apiserver.testing.ts';
import { type Reflector, type ReflectorOptions, startReflector } from './reflector.ts';
import { ConfigMap, type KubeObject } from './resource-kind.ts';

type Data = KubeObject & { readonly data: { readonly value: string } };

let server: FakeApiserver;
let client: KubeClient;
let reflector: Reflector<Data>;

test.before.each(async () => {
  server = await startFakeApiserver();
  client = createKubeClient({ access: server.access, qps: 10_000, burst: 10_000 });
});
test.after.each(async () => {
  await reflector.stop();
  await client.close();
  await server.stop();
});

async function start(options: Partial<ReflectorOptions<Data>> = {}): Promise<void> {
  reflector = startReflector<Data>({
    client,
    kind: ConfigMap,
    namespaces: 'all',
    onChange: () => undefined,
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  await reflector.synced;
  await until('the watch is open', () => server.watches === 1);
}

test('what kubectl noted of the last apply is not kept: of a Secret it is the key itself', async () => {
  const noted = configMap('noted');
  const said = { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"tls.key":"c2VjcmV0"}}', mine: 'kept' };
  server.put({ ...noted, metadata: { ...noted.metadata, annotations: said } });
  await start();
  assert.equal(reflector.store.get('default/noted')?.metadata.annotations, { mine: 'kept' });
});

test('managedFields are not kept, and items of a list get the kind that the API leaves out', async () => {
  const { kind: _, apiVersion: __, ...nameless } = configMap('one', 'x', true);
  server.put(nameless as KubeObject);
  await start();
  server.put(configMap('two', 'x', true));
  await until('both are there', () => reflector.store.size === 2);
  for (const object of reflector.store.list()) {
    assert.not('managedFields' in object.metadata);
    assert.is(object.kind, 'ConfigMap');
    assert.is(object.apiVersion, 'v1');
  }
});

test('only metadata, a transform and indexes', async () => {
  server.put(configMap('one'));
  await start({
    metadataOnly: true,
    transform: (object) => ({ ...object, data: { value: 'transformed' } }),
    indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ''] },
  });
  assert.match(server.seen[0]?.headers.accept ?? '', 'as=PartialObjectMetadataList');
  assert.equal(
    reflector.store.by('namespace', 'default').map(({ data }) => data),
    [{ value: 'transformed' }],
  );
  assert.equal(reflector.store.by('namespace', 'other'), []);
  assert.throws(() => reflector.store.by('colour', 'red'), /'colour' was not declared/);
  const { version } = reflector.store;
  assert.is(reflector.store.list(), reflector.store.list());
  server.delete('default/one');
  await until('gone', () => reflector.store.size === 0);
  assert.ok(reflector.store.version > version);
  assert.equal(reflector.store.by('namespace', 'default'), []);
});

test.run();
