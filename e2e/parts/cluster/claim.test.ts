import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freeSubnets, isLeftover, placeOf } from './claim.ts';

test("no subnet shares an address with a network the machine is on, nor with another cluster's", () => {
  const taken = ['192.0.2.2/24', '203.0.113.1/30', '198.51.100.77/32', '10.0.0.0/8'];
  const places = freeSubnets(taken).map(placeOf);
  assert.is(places.length, 192 - 64 - 1 - 1);
  assert.not.ok(places.some(({ nodeAddress }) => nodeAddress.startsWith('192.0.2.')));
  const addresses = places.flatMap(({ subnet }) => subnet);
  assert.is(new Set(addresses).size, addresses.length);
  assert.not.ok(addresses.includes('203.0.113.3'));
  assert.not.ok(addresses.includes('198.51.100.77'));
});

test('a machine that is on all of them gets none', () => {
  assert.equal(freeSubnets(['192.0.2.0/24', '203.0.113.0/24', '198.51.100.0/24']), []);
});

test('only what a gone process made is a leftover', () => {
  const start = (pid: number): string | undefined => (pid === 7 ? '100' : undefined);
  assert.is(isLeftover('drimbox-node-7-100-0', start), false);
  assert.is(isLeftover('drimbox-node-7-99-0', start), true); // the number was given to another process
  assert.is(isLeftover('drimbox-node-8-100-3', start), true);
  assert.is(isLeftover('drimbox-8-pacs', start), false);
  assert.is(isLeftover('somebody-elses', start), false);
});

test.run();
