/** CRLs at a real Envoy: replaced under load, ended, missing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Issued } from '../../e2e/parts/pki.ts';
import type { ClientTrust } from '../plan/ingress-plan.ts';
import { call } from './call.testing.ts';
import { type Stage, openStage } from './stage.testing.ts';
import { withHost } from './world.testing.ts';

const db = 'db.nord.example';
let stage: Stage;

test.before(async () => {
  stage = await openStage(false);
  await putInForce(stage.trust());
});

test.after(async () => {
  await stage.stop();
});

async function outcome(client: Issued, from = '127.0.0.1'): Promise<string> {
  return await call(stage, { sni: db, client, from }).then(
    ({ status }) => String(status),
    () => 'refused',
  );
}

async function putInForce(trust: ClientTrust): Promise<void> {
  // Above what this test does: what is asked is not the rate limit.
  const plan = withHost(stage.plan, db, { limits: { maxConnections: 10_000, maxRequests: 10_000 } });
  await stage.apply({ ...plan, trusts: [trust] });
}

/** What Envoy says of a caller that came from this address. */
async function reasonFor(from: string): Promise<string> {
  return (await stage.until('the event', () => stage.failures.find(({ peer }) => peer === from))).reason;
}

test('a CRL replaced again and again under load: who is good always passes, who is revoked never again', async () => {
  const load = { on: true, outcomes: new Map<string, number>() };
  const loops = [1, 2].map(async () => {
    while (load.on) {
      const seen = await outcome(stage.client);
      load.outcomes.set(seen, (load.outcomes.get(seen) ?? 0) + 1);
    }
  });
  try {
    for (let step = 0; step < 8; step += 1) {
      const other = await stage.pki.issue({ commonName: `c${step}`, organizationalUnit: '1', kind: 'SERV_SSL' });
      assert.is(await outcome(other), '200', `before swap ${step}`);
      await stage.pki.revoke(other);
      await putInForce(stage.trust());
      await stage.until(`swap ${step} in force`, async () => (await outcome(other)) === 'refused');
      assert.is(await outcome(other), 'refused', 'on every worker, for good');
    }
  } finally {
    load.on = false;
  }
  await Promise.all(loops);
  assert.equal([...load.outcomes.keys()], ['200']);
});

test('an ended CRL refuses everyone, and a fresh one lets them in again', async () => {
  const hour = 3_600_000;
  const window = { thisUpdate: new Date(Date.now() - 2 * hour), nextUpdate: new Date(Date.now() - hour) };
  await stage.pki.writeCrl(stage.pki.servers, window);
  await putInForce(stage.trust());
  await stage.until('refused', async () => (await outcome(stage.client, '127.0.4.1')) === 'refused');
  assert.match(await reasonFor('127.0.4.1'), /CRL.has.expired/i);
  await stage.pki.writeCrl(stage.pki.servers);
  await putInForce(stage.trust());
  await stage.until('let in', async () => (await outcome(stage.client)) === '200');
});

test('without the CRL of one authority of the chain nobody of it passes, whichever it is', async () => {
  const whole = stage.trust();
  const crls = whole.crlsPem.split(/(?=-----BEGIN X509 CRL-----)/).filter((text) => text.includes('BEGIN'));
  const outcomes: string[] = [];
  for (const [index, missing] of crls.entries()) {
    await putInForce({ ...whole, crlsPem: crls.filter((text) => text !== missing).join('') });
    const from = `127.0.5.${index + 1}`;
    const seen = await outcome(stage.client, from);
    outcomes.push(seen);
    if (seen === 'refused') assert.match(await reasonFor(from), /unable.to.get.certificate.CRL/i);
  }
  assert.is(outcomes.filter((seen) => seen === 'refused').length, 2, 'that of its issuer, and that of the root');
  await putInForce(whole);
  await stage.until('let in', async () => (await outcome(stage.client)) === '200');
});

test.run();
