import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exampleConfig } from '../common/contract/example-config.ts';
import type { PacsConfig } from '../common/contract/gateway-config.ts';
import { ownShare, placeOf, shareOf } from './place.ts';

const pacsWith = (titles: number, maxConcurrentMoves: number): PacsConfig => {
  const [pacs] = exampleConfig.pacs;
  if (!pacs) throw new Error('the example has a PACS');
  const aeTitlePool = Array.from({ length: titles }, (_, n) => `DRIM${n}`);
  return { ...pacs, aeTitlePool, maxConcurrentMoves };
};

test('a site of one gateway needs no index, and has all of it', () => {
  assert.is(placeOf({}, undefined).index, 0);
  assert.is(placeOf({ replicas: 1 }, '0').index, 0);
  assert.equal(ownShare(exampleConfig, undefined).pacs, exampleConfig.pacs);
});

test('each title of a pool is the share of exactly one gateway, none has none, and moves at once add up', () => {
  for (let replicas = 2; replicas <= 16; replicas++) {
    for (let titles = replicas; titles <= 33; titles += 5) {
      for (const moves of [1, replicas, titles]) {
        const pacs = pacsWith(titles, moves);
        const shares = Array.from({ length: replicas }, (_, index) =>
          shareOf(pacs, { index, replicas, podIndex: String(index) }),
        );
        const all = shares.flatMap(({ aeTitlePool }) => aeTitlePool);
        assert.equal(all.toSorted(), [...pacs.aeTitlePool].toSorted());
        for (const share of shares) {
          assert.ok(share.aeTitlePool.length > 0);
          assert.ok(share.maxConcurrentMoves >= 1 && share.maxConcurrentMoves <= share.aeTitlePool.length);
        }
        const sum = shares.reduce((total, share) => total + share.maxConcurrentMoves, 0);
        assert.is(sum, Math.max(moves, replicas));
      }
    }
  }
});

test('of three titles and two gateways, the first has the first and the third', () => {
  const share = (index: number): readonly string[] =>
    shareOf(pacsWith(3, 3), { index, replicas: 2, podIndex: String(index) }).aeTitlePool;
  assert.equal([share(0), share(1)], [['DRIM0', 'DRIM2'], ['DRIM1']]);
});

for (const [what, replicas, podIndex] of [
  ['missing', 2, undefined],
  ['empty', 2, ''],
  ['no number', 2, 'x-1'],
  ['negative', 2, '-1'],
  ['not of this site', 2, '2'],
  ['of a site that became smaller', 1, '1'],
] as const)
  test(`a POD_INDEX that is ${what} is refused, naming it, the rule and the range`, () => {
    assert.throws(() => placeOf({ replicas }, podIndex), /POD_INDEX of the environment .*replicas \d.* from 0 to \d/);
  });

test.run();
