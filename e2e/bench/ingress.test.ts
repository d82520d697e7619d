/** A change to one link is pushed alone; and the arithmetic of the figures. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { costOf, leastSquares, runScale } from './ingress.ts';
import { quantile } from './quantile.ts';

test("a new certificate of one link pushes its secret, and no other link's", async () => {
  const { pairs, rotations, coldBytes } = await runScale(10, 3, false);
  assert.is(pairs, 10);
  assert.equal(
    rotations.map(({ ownSecrets, otherSecrets }) => [ownSecrets, otherSecrets]),
    [
      [1, 0],
      [1, 0],
      [1, 0],
    ],
  );
  assert.ok(
    rotations.every(({ bytes }) => bytes > 0 && bytes < coldBytes / 10),
    'far less than everything',
  );
});

test('quantiles by nearest rank, the worst of others, the slope of a line', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal([quantile(values, 0.5), quantile(values, 0.99), quantile([7], 0.99)], [50, 99, 7]);
  const change = { ackMs: 1, bytes: 10, ownSecrets: 1, otherSecrets: 0 };
  assert.is(costOf([change, { ...change, otherSecrets: 2 }, change]).otherSecrets, 2);
  assert.is(
    leastSquares([
      [10, 25],
      [100, 205],
      [1000, 2005],
    ]),
    2,
  );
  assert.is(leastSquares([[10, 25]]), 0);
});

test.run();
