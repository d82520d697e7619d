import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authorityLifeMs, gatewayServerName, type PemPair } from '../../trust/internal-authority.ts';
import { type InternalOutcome, authorityObject, internalKeeper, proxyObject } from './internal-identities.ts';

const day = 86_400_000;
const start = new Date('2026-01-01T00:00:00Z');
const site = 'ght/nord';
const nobody = (): PemPair | undefined => undefined;

function textOf({ state }: InternalOutcome): string {
  return JSON.stringify(state);
}

function isSignedBy(outcome: InternalOutcome, pem: string): boolean {
  return outcome.state.authorities.some(({ certificatePem }) =>
    new X509Certificate(pem).verify(new X509Certificate(certificatePem).publicKey),
  );
}

test('who leads makes the authority and a certificate for each site, once', async () => {
  const keeper = internalKeeper();
  const input = { sites: [site], authority: undefined, identityOf: nobody, mayMake: true, now: start };
  const first = await keeper.of(input);
  assert.ok(first);
  const entry = first.identities.gateways.get(site);
  assert.is(entry?.serverName, gatewayServerName(site));
  assert.ok(isSignedBy(first, entry?.identity.certificatePem ?? ''));
  assert.is(
    new X509Certificate(entry?.identity.certificatePem ?? '').checkHost('nord.ght.gateway.drimbox.internal'),
    'nord.ght.gateway.drimbox.internal',
  );
  const again = await keeper.of({ ...input, authority: textOf(first) });
  assert.is(again?.identities.gateways, first.identities.gateways);
});

test('who does not lead has nothing before a leader made it, believes it then, and makes none', async () => {
  const leader = internalKeeper();
  const made = await leader.of({ sites: [site], authority: undefined, identityOf: nobody, mayMake: true, now: start });
  assert.ok(made);
  const follower = internalKeeper();
  const input = { sites: [site, 'ght/sud'], authority: undefined, identityOf: nobody, mayMake: false, now: start };
  assert.is(await follower.of(input), undefined);
  const without = await follower.of({ ...input, authority: textOf(made) });
  assert.is(without?.identities.gateways.size, 0);
  const identity = made.identities.gateways.get(site)?.identity;
  const seen = await follower.of({
    ...input,
    authority: textOf(made),
    identityOf: (key) => (key === site ? identity : undefined),
  });
  assert.is(seen?.identities.gateways.get(site)?.identity.certificatePem, identity?.certificatePem);
  assert.is(seen?.identities.gateways.size, 1);
  assert.is(seen?.identities.caPem, made.identities.caPem);
});

test('who comes to lead goes on with the authority and the certificates that are there', async () => {
  const made = await internalKeeper().of({
    sites: [site],
    authority: undefined,
    identityOf: nobody,
    mayMake: true,
    now: start,
  });
  assert.ok(made);
  const identity = made.identities.gateways.get(site)?.identity;
  const next = await internalKeeper().of({
    sites: [site],
    authority: textOf(made),
    identityOf: () => identity,
    mayMake: true,
    now: new Date(start.getTime() + day),
  });
  assert.is(next?.identities.caPem, made.identities.caPem);
  assert.is(next?.identities.gateways.get(site)?.identity.certificatePem, identity?.certificatePem);
});

test('a certificate that no authority of ours signed is replaced', async () => {
  const strangers = await internalKeeper().of({
    sites: [site],
    authority: undefined,
    identityOf: nobody,
    mayMake: true,
    now: start,
  });
  const foreign = strangers?.identities.gateways.get(site)?.identity;
  const own = await internalKeeper().of({
    sites: [site],
    authority: undefined,
    identityOf: () => foreign,
    mayMake: true,
    now: start,
  });
  assert.ok(own);
  const used = own.identities.gateways.get(site)?.identity.certificatePem ?? '';
  assert.is.not(used, foreign?.certificatePem);
  assert.ok(isSignedBy(own, used));
});

test('through the life of authorities every certificate in use is signed by one that is believed, and the former is believed meanwhile', async () => {
  const keeper = internalKeeper();
  let held: InternalOutcome | undefined;
  const bundles = new Set<string>();
  for (let at = start.getTime(); at < start.getTime() + authorityLifeMs * 1.5; at += 5 * day) {
    const next = await keeper.of({
      sites: [site],
      authority: held === undefined ? undefined : textOf(held),
      identityOf: nobody,
      mayMake: true,
      now: new Date(at),
    });
    assert.ok(next);
    const pem = next.identities.gateways.get(site)?.identity.certificatePem ?? '';
    assert.ok(isSignedBy(next, pem));
    assert.ok(Date.parse(new X509Certificate(pem).validTo) > at);
    // A gateway may still show the former one.
    const former = held?.identities.gateways.get(site)?.identity.certificatePem;
    if (former !== undefined) assert.ok(isSignedBy(next, former));
    bundles.add(next.identities.caPem);
    held = next;
  }
  assert.ok(bundles.size >= 3, 'a new authority, both, and the new one alone');
});

test('of many new sites a round makes some, so that the rest is not held up; the next rounds make the others', async () => {
  const keeper = internalKeeper();
  const sites = Array.from({ length: 130 }, (_, index) => `ght/site-${index}`);
  const input = { sites, authority: undefined, identityOf: nobody, mayMake: true, now: start };
  const first = await keeper.of(input);
  assert.is(first?.identities.gateways.size, 100);
  const second = await keeper.of(input);
  assert.is(second?.identities.gateways.size, 130);
  for (const [key, entry] of first?.identities.gateways ?? []) assert.is(second?.identities.gateways.get(key), entry);
});

test('its Secrets: the authority for the operators alone, and for proxies no authority’s key', async () => {
  const made = await internalKeeper().of({
    sites: [],
    authority: undefined,
    identityOf: nobody,
    mayMake: true,
    now: start,
  });
  assert.ok(made);
  const proxy = proxyObject('system', made)['data'] as Readonly<Record<string, string>>;
  assert.equal(Object.keys(proxy), ['tls.crt', 'tls.key', 'ca.crt']);
  const texts = Object.values(proxy).map((text) => Buffer.from(text, 'base64').toString());
  for (const { keyPem } of made.state.authorities) assert.not.ok(texts.join().includes(keyPem));
  const kept = authorityObject('system', made.state)['data'] as Readonly<Record<string, string>>;
  assert.equal(JSON.parse(Buffer.from(kept['state.json'] ?? '', 'base64').toString()), made.state);
});

test.run();
