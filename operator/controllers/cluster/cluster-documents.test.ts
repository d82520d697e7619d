import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type WritableStore, createStore } from '../../resources/kubernetes/store.ts';
import { type ClusterDocuments, clusterDocuments } from './cluster-documents.ts';
import type { DataObject } from './watches.ts';

const name = 'trust/test/whitelist.xml';

interface Replica {
  readonly store: WritableStore<DataObject>;
  readonly documents: ClusterDocuments;
  readonly told: () => number;
}

function replica(leads: boolean): Replica {
  const store = createStore<DataObject>();
  let told = 0;
  const documents = clusterDocuments(
    'system',
    store,
    () => leads,
    () => (told += 1),
  );
  return { store, documents, told: () => told };
}

/** The API server takes what waits, and every store sees it. */
function applied({ documents }: Replica, stores: readonly WritableStore<DataObject>[], settle = true): void {
  for (const document of documents.pending()) {
    for (const object of document.apply) for (const store of stores) store.put(object);
    for (const gone of document.remove) for (const store of stores) store.delete(`system/${gone}`);
    if (settle) documents.settle(document);
  }
}

test('what was written is read at once, told until it is settled, and then read by every replica', () => {
  const [leader, follower] = [replica(true), replica(false)];
  const bytes = Buffer.from('<list/>');
  const before = leader.documents.version;
  leader.documents.write(name, bytes);
  assert.ok(leader.documents.version > before);
  assert.equal(leader.documents.read(name), bytes);
  assert.is(leader.told(), 1);
  assert.is(leader.documents.pending().length, 1);
  assert.is(follower.documents.read(name), undefined);
  applied(leader, [leader.store, follower.store]);
  assert.equal(leader.documents.pending(), []);
  assert.equal(follower.documents.read(name), bytes);
  assert.equal(leader.documents.read(name), bytes);
});

test('the same bytes again are nothing new, before and after they were settled', () => {
  const leader = replica(true);
  leader.documents.write(name, 'one');
  leader.documents.write(name, 'one');
  assert.is(leader.told(), 1);
  applied(leader, [leader.store]);
  leader.documents.write(name, 'one');
  assert.is(leader.told(), 1);
  assert.equal(leader.documents.pending(), []);
});

test('another change while the former is being written is not lost with it', () => {
  const leader = replica(true);
  leader.documents.write(name, 'one');
  const [first] = leader.documents.pending();
  leader.documents.write(name, 'two');
  assert.ok(first);
  leader.documents.settle(first);
  assert.is(leader.documents.pending().length, 1);
  applied(leader, [leader.store]);
  assert.is(String(leader.documents.read(name)), 'two');
});

test('settled but not yet seen by the watch, what was written counts; then the store does', () => {
  const leader = replica(true);
  leader.documents.write(name, 'one');
  const [document] = leader.documents.pending();
  assert.ok(document);
  leader.documents.settle(document);
  assert.is(String(leader.documents.read(name)), 'one');
  for (const object of document.apply) leader.store.put(object);
  assert.is(String(leader.documents.read(name)), 'one');
  for (const { metadata } of document.apply) leader.store.delete(`system/${metadata.name}`);
  assert.is(leader.documents.read(name), undefined);
});

test('who does not lead writes and removes nothing', () => {
  const [leader, follower] = [replica(true), replica(false)];
  follower.documents.write(name, 'mine');
  assert.is(follower.documents.read(name), undefined);
  leader.documents.write(name, 'theirs');
  applied(leader, [leader.store, follower.store]);
  follower.documents.write(name, 'mine');
  follower.documents.remove(name);
  assert.is(String(follower.documents.read(name)), 'theirs');
  assert.equal([follower.documents.pending(), follower.told()], [[], 0]);
});

test('of a large document whose parts arrive one by one nothing is read before it is whole', () => {
  const [leader, follower] = [replica(true), replica(false)];
  const bytes = randomBytes(1_500_000);
  leader.documents.write(name, bytes);
  const objects = leader.documents.pending().flatMap(({ apply }) => apply);
  assert.ok(objects.length > 1);
  for (const [index, object] of objects.toReversed().entries()) {
    assert.is(follower.documents.read(name), undefined, `${index} parts`);
    follower.store.put(object);
  }
  assert.ok(follower.documents.read(name)?.equals(bytes));
});

test('smaller again, or removed, the parts it does not need go', () => {
  const leader = replica(true);
  leader.documents.write(name, randomBytes(1_500_000));
  applied(leader, [leader.store]);
  const parts = leader.store.size;
  leader.documents.write(name, 'small');
  assert.is(leader.documents.pending()[0]?.remove.length, parts - 1);
  applied(leader, [leader.store]);
  assert.is(leader.store.size, 1);
  assert.is(String(leader.documents.read(name)), 'small');
  leader.documents.remove(name);
  assert.is(leader.documents.read(name), undefined);
  applied(leader, [leader.store]);
  assert.is(leader.store.size, 0);
  assert.is(leader.documents.read(name), undefined);
});

test.run();
