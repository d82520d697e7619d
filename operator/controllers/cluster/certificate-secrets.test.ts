import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { siteInput } from '../../infrastructure/kubernetes/site-input.testing.ts';
import { type WritableStore, createStore } from '../../resources/kubernetes/store.ts';
import { keyOf } from '../../resources/inventory.ts';
import { type ClusterCertificates, clusterCertificates, requestedKinds } from './certificate-secrets.ts';
import type { DataObject } from './watches.ts';

const [link] = siteInput().links;
if (link === undefined) throw new Error('two-sites has no link');
const key = keyOf(link);
const request = { keyPem: 'key', csrPem: 'csr', requestedAt: '2026-01-01T00:00:00Z' };
const pair = { certificatePem: 'certificate', keyPem: 'key' };

interface Opened {
  readonly store: WritableStore<DataObject>;
  readonly certificates: ClusterCertificates;
}

function open(store = createStore<DataObject>()): Opened {
  return { store, certificates: clusterCertificates(store, () => undefined) };
}

function applied({ certificates, store }: Opened): void {
  if (link === undefined) return;
  for (const object of certificates.objectsOf(link)) store.put(object);
}

test('a request is had at once, waits to be written until the cluster shows it, and is read by who comes after', () => {
  const opened = open();
  opened.certificates.keep(key, 'db', request);
  assert.equal(opened.certificates.pending(key, 'db'), request);
  assert.is(opened.certificates.pending(key, 'vi'), undefined);
  assert.equal(opened.certificates.waiting(), [key]);
  applied(opened);
  assert.equal(opened.certificates.pending(key, 'db'), request);
  assert.equal(opened.certificates.waiting(), []);
  assert.equal(open(opened.store).certificates.pending(key, 'db'), request);
});

test('a request that waits is not replaced: its key would be lost', () => {
  const { certificates } = open();
  certificates.keep(key, 'db', request);
  assert.throws(() => certificates.keep(key, 'db', { ...request, keyPem: 'other' }), 'already waits');
});

test('accepted, the request it answers is over; one for another key goes on waiting', () => {
  const opened = open();
  opened.certificates.keep(key, 'db', request);
  opened.certificates.accept(key, 'db', { certificatePem: 'other', keyPem: 'other key' });
  assert.equal(opened.certificates.pending(key, 'db'), request);
  opened.certificates.accept(key, 'db', pair);
  assert.is(opened.certificates.pending(key, 'db'), undefined);
  applied(opened);
  assert.equal(open(opened.store).certificates.accepted(key, 'db'), pair);
});

test('the key is in one Secret of the link, which goes with it', () => {
  const opened = open();
  opened.certificates.keep(key, 'vi', request);
  const objects = opened.certificates.objectsOf(link);
  assert.equal(
    objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`),
    [`Secret ${key}-vi-key`],
  );
  assert.is(objects[0]?.metadata.ownerReferences?.[0]?.kind, 'PacsLink');
});

test('the annotation names kinds, with spaces or without; anything else asks for nothing', () => {
  const asked = (text: string): readonly string[] =>
    requestedKinds({
      ...link,
      metadata: { ...link.metadata, annotations: { 'drimbox.dev/request-certificate': text } },
    });
  assert.equal(['db', 'vi', 'vi, db', '', 'all', 'db;vi'].map(asked), [['db'], ['vi'], ['db', 'vi'], [], [], []]);
  assert.equal(requestedKinds(link), []);
});

test.run();
