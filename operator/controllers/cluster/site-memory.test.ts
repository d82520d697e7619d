import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { siteInput } from '../../infrastructure/kubernetes/site-input.testing.ts';
import { keyOf } from '../../resources/kubernetes/resource-kind.ts';
import type { IngressHost } from '../../plan/ingress-plan.ts';
import { createPlanShelf, memorySecret, planBefore, type RememberedPlan } from './site-memory.ts';
import type { DataObject, MemoryObject } from './watches.ts';

const { site, plan } = siteInput();
const pair = { certificatePem: 'certificate é\n', keyPem: 'key\n' };
const host = { kind: 'vi', fqdn: 'vi.example', site: 'group/nord', link: 'group/pacs' } as IngressHost;
const remembered = { config: plan.config, whenDeleted: plan.whenDeleted, hosts: [host] };
const asSeen = (object: object): DataObject => object as DataObject;
const key = keyOf(memorySecret(site, pair, undefined));

function planIn(secret: DataObject): RememberedPlan | undefined {
  const shelf = createPlanShelf();
  shelf.shelve(secret);
  return shelf.planOf(key);
}

function identityIn(secret: DataObject): MemoryObject['identity'] {
  return createPlanShelf().shelve(secret).identity;
}

test('what is remembered of a site is read back as it was', () => {
  const secret = asSeen(memorySecret(site, pair, remembered));
  assert.equal(identityIn(secret), pair);
  assert.equal(planIn(secret), remembered);
});

test('without a plan there is its identity alone; without either, nothing', () => {
  const secret = asSeen(memorySecret(site, pair, undefined));
  assert.equal(identityIn(secret), pair);
  assert.is(planIn(secret), undefined);
  assert.is(identityIn({ ...secret, data: {} }), undefined);
});

test('it goes with its site, and is found by it', () => {
  const { metadata } = memorySecret(site, pair, remembered);
  assert.is(metadata.ownerReferences?.[0]?.uid, site.metadata.uid);
  assert.is(metadata.labels?.['drimbox.dev/site'], 'nord');
  assert.is(metadata.labels?.['drimbox.dev/memory'], 'true');
});

test('the same is written as the same bytes: nothing is rewritten by a new start', () => {
  assert.equal(memorySecret(site, pair, remembered), memorySecret(site, pair, structuredClone(remembered)));
});

test('a damaged memory is a fault, not an empty one', () => {
  const secret = asSeen(memorySecret(site, pair, remembered));
  const data = { ...secret.data, 'plan.json.gz': Buffer.from('by hand').toString('base64') };
  assert.throws(() => planIn({ ...secret, data }));
});

test('a plan stands on the shelf alone, and nowhere once the first round has begun', () => {
  const secret = asSeen(memorySecret(site, pair, remembered));
  const shelf = createPlanShelf();
  const kept = shelf.shelve(secret);
  assert.equal(kept.identity, pair);
  assert.equal(kept.data, {});
  shelf.clear();
  assert.is(shelf.planOf(key), undefined);
  assert.equal(shelf.shelve(secret), kept);
  assert.is(shelf.planOf(key), undefined);
});

test('the plan before the first has every remembered site and its entries', () => {
  const internal = { identity: { name: 'i', ...pair }, serverName: 's', caPem: 'ca' };
  const before = planBefore(new Map([['group/nord', remembered]]), [], internal);
  assert.equal(before.gateways, [
    { site: 'group/nord', config: plan.config, whenDeleted: plan.whenDeleted, files: [] },
  ]);
  assert.equal(before.ingress, { hosts: [host], trusts: [], internal });
});

test.run();
