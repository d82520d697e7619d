/** A change to one link is pushed alone; and the arithmetic of the figures. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { costOf, leastSquares, runScale } from './ingress.ts';
import { quantile } from './quantile.ts';

test("a change to one link pushes that link's secrets and the trust it shares, whatever the number of others", async () => {
  const { pairs, kinds, coldBytes } = await runScale(10, 3, false);
  assert.is(pairs, 10);
  const pushed = (changes: readonly { readonly ownSecrets: number; readonly otherSecrets: number }[]): object =>
    changes.map(({ ownSecrets, otherSecrets }) => [ownSecrets, otherSecrets]);
  const thrice = (own: number, other: number): object => Array.from({ length: 3 }, () => [own, other]);
  assert.equal(pushed(kinds.rotation), thrice(1, 0));
  assert.equal(pushed(kinds.addition), thrice(2, 1), 'the db chain is new, and with it whoever provides its trust');
  assert.equal(pushed(kinds.removal), thrice(0, 0));
  assert.equal(pushed(kinds.crl), thrice(0, 1));
  for (const { bytes } of [...kinds.rotation, ...kinds.crl])
    assert.ok(bytes > 0 && bytes < coldBytes / 10, 'far less than everything');
});

test('quantiles by nearest rank, the worst of others, the slope of a line', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal([quantile(values, 0.5), quantile(values, 0.99), quantile([7], 0.99)], [50, 99, 7]);
  const change = { ackMs: 1, blockMs: 2, envoyMs: 3, bytes: 10, ownSecrets: 1, otherSecrets: 0 };
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
