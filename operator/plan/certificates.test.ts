/** The end of a certificate is told 30, 14, 7 and 1 days before; a refused one says that the former serves. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { certificatesVerdict, expiryWarning } from './certificates.ts';
import type { IdentityMaterial, Observations, Resolved } from './observations.ts';

const day = 86_400_000;
const now = new Date('2026-01-01T00:00:00Z');

const limits: readonly (readonly [number, string | undefined])[] = [
  [30 * day + 1, undefined],
  [30 * day, 'ExpiresIn30Days'],
  [14 * day + 1, 'ExpiresIn30Days'],
  [14 * day, 'ExpiresIn14Days'],
  [7 * day, 'ExpiresIn7Days'],
  [day + 1, 'ExpiresIn7Days'],
  [day, 'ExpiresIn1Day'],
  [1, 'ExpiresIn1Day'],
];

for (const [left, reason] of limits)
  test(`${left} ms before the end: ${reason ?? 'nothing to tell'}`, () => assert.is(expiryWarning(left), reason));

function seen(servers: Readonly<Record<string, Resolved<IdentityMaterial>>>): Observations {
  const only: Partial<Observations> = { now, identities: new Map(), servers: new Map(Object.entries(servers)) };
  return only as Observations;
}

function ends(days: number): Resolved<IdentityMaterial> {
  const notAfter = new Date(now.getTime() + days * day).toISOString();
  return { ok: true, certificatePem: '', keyPem: '', names: ['a.example'], notAfter };
}

const wanted = ['a', 'b', 'c'].map((server) => ({ secret: 'x/y', name: 'a.example', server }));

test('of several warnings the most pressing is told, and the earliest end', () => {
  const outcome = certificatesVerdict(wanted, seen({ a: ends(20), b: ends(3), c: ends(300) }));
  assert.equal([outcome.verdict.status, outcome.verdict.reason], ['True', 'ExpiresIn7Days']);
  assert.is(outcome.expiry, '2026-01-04T00:00:00.000Z');
});

test('one that ended is no warning any more', () => {
  const { verdict } = certificatesVerdict(wanted, seen({ a: ends(20), b: ends(0), c: ends(300) }));
  assert.equal([verdict.status, verdict.reason], ['False', 'Expired']);
});

test('one that may not be used: False with the reason, and whether a former one serves', () => {
  const revoked = { ok: false, reason: 'Revoked', message: 'revoked yesterday' } as const;
  const one = { secret: 'x/y', server: 'a' };
  const servedUntil = '2026-06-01T00:00:00.000Z';
  const held = certificatesVerdict([{ ...one, servedUntil }], seen({ a: revoked }));
  assert.equal([held.verdict.status, held.verdict.reason, held.expiry], ['False', 'Revoked', servedUntil]);
  assert.match(held.verdict.message, `the last good one stays in service, until ${servedUntil}`);
  const bare = certificatesVerdict([one], seen({ a: revoked }));
  assert.equal([bare.verdict.message, bare.expiry], ['Secret x/y: revoked yesterday', undefined]);
});

test.run();
