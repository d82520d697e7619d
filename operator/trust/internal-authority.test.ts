/** The internal authority over its whole life: what is presented is always believed by who looks. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type InternalState,
  authorityLifeMs,
  emptyInternalState,
  internalBundle,
  leafLifeMs,
  publishedBeforeSigningMs,
  renewInternal,
} from './internal-authority.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const names = ['ingress.drimbox.internal', 'nord.ght.gateway.drimbox.internal'];
const hour = 3_600_000;

function at(ms: number): Date {
  return new Date(start + ms);
}

function issuerOf(state: InternalState, name: string): string | undefined {
  const leaf = new X509Certificate(state.leaves[name]?.certificatePem ?? '');
  return state.authorities.find(({ certificatePem }) => leaf.verify(new X509Certificate(certificatePem).publicKey))
    ?.certificatePem;
}

test('a leaf is for its name, its key matches, and it is signed by the bundle', async () => {
  const state = await renewInternal(emptyInternalState, names, at(0));
  for (const name of names) {
    const { certificatePem, keyPem } = state.leaves[name] ?? { certificatePem: '', keyPem: '' };
    const leaf = new X509Certificate(certificatePem);
    assert.is(leaf.checkHost(name), name);
    assert.ok(leaf.checkPrivateKey(createPrivateKey(keyPem)));
    assert.is(leaf.ca, false);
    assert.ok(internalBundle(state).includes(issuerOf(state, name) ?? 'nobody'));
  }
});

test('nothing due is the same state, so nothing is written', async () => {
  const state = await renewInternal(emptyInternalState, names, at(0));
  assert.is(await renewInternal(state, names, at(hour)), state);
});

test('a leaf is renewed at two thirds of its life, a new name gets its own, one not wanted goes', async () => {
  const state = await renewInternal(emptyInternalState, names, at(0));
  const later = await renewInternal(state, names, at((leafLifeMs * 2) / 3 + hour));
  assert.is.not(later.leaves[names[0] ?? '']?.certificatePem, state.leaves[names[0] ?? '']?.certificatePem);
  assert.equal(later.authorities, state.authorities);
  const other = await renewInternal(state, ['sud.gateway'], at(hour));
  assert.equal(Object.keys(other.leaves), ['sud.gateway']);
});

test('through two years of hourly and daily looks every leaf is believed by the bundle of the look before', async () => {
  let state = await renewInternal(emptyInternalState, names, at(0));
  const makers = new Set<string>();
  const steps = [...Array.from({ length: 730 }, (_, day) => day * 24 * hour), authorityLifeMs * 2 + 2 * hour];
  for (const ms of steps) {
    // Looked at a little after too: that is when a new authority may begin to sign.
    for (const moment of [ms, ms + publishedBeforeSigningMs + hour]) {
      const bundle = internalBundle(state);
      const next = await renewInternal(state, names, at(moment));
      for (const name of names) {
        const maker = issuerOf(next, name);
        assert.ok(maker !== undefined && bundle.includes(maker), `${name} at day ${moment / hour / 24}`);
        makers.add(maker);
        const leaf = new X509Certificate(next.leaves[name]?.certificatePem ?? '');
        assert.ok(Date.parse(leaf.validTo) > start + moment, 'an ended leaf is presented');
      }
      state = next;
    }
  }
  assert.ok(makers.size >= 3, 'the authority was never renewed');
  assert.ok(state.authorities.length <= 2);
});

test.run();
