/** One link's fault stays its own, whatever the number of links and of faults. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DbHost, IngressPlan } from '../plan/ingress-plan.ts';
import { atOnce } from '../turns.ts';
import {
  type Quarantine,
  type Verdict,
  current as currentInSteps,
  emptyQuarantine,
  isServed,
  passed,
  propose as proposeInSteps,
  refused,
  retried,
  verdicts,
} from './quarantine.ts';

const propose = (state: Quarantine, wanted: IngressPlan): Quarantine => atOnce(proposeInSteps(state, wanted));
const current = (state: Quarantine): IngressPlan | undefined => atOnce(currentInSteps(state));
const verdictOf = (state: Quarantine, link: string): Verdict => verdicts(state)(link);

const pem = { name: 'n', certificatePem: 'c', keyPem: 'k' };

function host(link: string, port = 1, trust = 't'): DbHost {
  return {
    kind: 'db',
    fqdn: `db.${link}.example`,
    link,
    site: 's',
    identity: pem,
    upstream: { host: '127.0.0.1', port, serverName: 'g' },
    limits: { maxConnections: 3, maxRequests: 3 },
    trust,
  };
}

function plan(hosts: readonly DbHost[], crlsPem = 'crl'): IngressPlan {
  const trusts = [...new Set(hosts.map(({ trust }) => trust))].map((name) => ({ name, anchorsPem: 'a', crlsPem }));
  return { hosts, trusts, internal: { identity: pem, serverName: 'i', caPem: 'ca' } };
}

/** A proxy that refuses all it is sent when one of these links is in it with port 666, and names none. */
function run(state: Quarantine): { readonly state: Quarantine; readonly rounds: number } {
  let now = state;
  for (let rounds = 1; rounds < 100; rounds += 1) {
    const bad = current(now)?.hosts.some(({ upstream }) => upstream.port === 666) === true;
    const before = now;
    now = bad ? refused(now, { type: 'listener', names: [], message: 'evil' }) : passed(now);
    if (now.trial.length === 0 && before.trial.length === 0) return { state: now, rounds };
  }
  throw new Error('it never ends');
}

const ports = (state: Quarantine): readonly (readonly [string, number])[] =>
  current(state)?.hosts.map(({ link, upstream }) => [link, upstream.port] as const) ?? [];

test('every link but the bad ones is served, in few rounds', () => {
  const links = Array.from({ length: 40 }, (_, index) => `l${String(index).padStart(2, '0')}`);
  for (const bad of [[], ['l00'], ['l17'], ['l39'], ['l03', 'l04'], ['l00', 'l20', 'l39']]) {
    const hosts = links.map((link) => host(link, bad.includes(link) ? 666 : 1));
    const { state, rounds } = run(propose(emptyQuarantine, plan(hosts)));
    assert.equal(
      ports(state).map(([link]) => link),
      links.filter((link) => !bad.includes(link)),
    );
    for (const link of links)
      assert.equal(
        verdictOf(state, link),
        bad.includes(link) ? { accepted: false, refusal: 'evil' } : { accepted: true },
      );
    assert.ok(rounds <= 2 + bad.length * 14, `${bad.length} bad: ${rounds} rounds`);
  }
});

test('a change that is refused leaves what was accepted before', () => {
  const good = run(propose(emptyQuarantine, plan([host('a'), host('b')]))).state;
  const { state } = run(propose(good, plan([host('a', 666), host('b', 2)])));
  assert.equal(ports(state), [
    ['a', 1],
    ['b', 2],
  ]);
  assert.ok(isServed(state, 'a'));
  assert.equal(verdictOf(state, 'a'), { accepted: false, refusal: 'evil' });
});

test('what was refused is not tried again until it changes, or time has passed', () => {
  const { state } = run(propose(emptyQuarantine, plan([host('a', 666), host('b')])));
  assert.equal(propose(state, plan([host('a', 666), host('b')])).trial, []);
  assert.equal(propose(state, plan([host('a', 2), host('b')])).trial, ['link a']);
  assert.equal(retried(state).trial, ['link a']);
});

test('a certificate that is refused is its link’s alone, at once', () => {
  const tried = propose(emptyQuarantine, plan([host('a'), host('b'), host('c')]));
  const after = refused(tried, { type: 'secret', names: ['certificate/db_b_example'], message: 'weak' });
  assert.equal(verdictOf(after, 'b').refusal, 'weak');
  assert.equal(
    ports(after).map(([link]) => link),
    ['a', 'c'],
  );
});

test('a trust that is refused: its links keep the former one, and say why', () => {
  const good = run(propose(emptyQuarantine, plan([host('a'), host('b', 1, 'u')]))).state;
  const tried = propose(good, plan([host('a'), host('b', 1, 'u')], 'bad'));
  const after = run(refused(tried, { type: 'secret', names: ['trust/t'], message: 'no CRL' })).state;
  assert.equal(
    current(after)?.trusts.map(({ name, crlsPem }) => [name, crlsPem]),
    [
      ['t', 'crl'],
      ['u', 'bad'],
    ],
  );
  assert.is(verdictOf(after, 'a').refusal, 'no CRL');
  assert.equal(verdictOf(after, 'b'), { accepted: true });
});

test('a link that moved its name to another: the new owner has it', () => {
  const good = run(propose(emptyQuarantine, plan([host('a')]))).state;
  const moved = { ...host('b'), fqdn: 'db.a.example' };
  const after = run(propose(good, plan([moved, { ...host('a', 666), fqdn: 'db.x.example' }]))).state;
  assert.equal(
    current(after)?.hosts.map(({ link, fqdn }) => [link, fqdn]),
    [['b', 'db.a.example']],
  );
});

test('a fault with nothing on trial changes nothing', () => {
  const good = run(propose(emptyQuarantine, plan([host('a')]))).state;
  assert.is(refused(good, { type: 'listener', names: ['ingress'], message: 'port taken' }), good);
});

test('what is wrong with the public listener is no link’s doing', () => {
  const tried = propose(emptyQuarantine, plan([host('a'), host('b')]));
  assert.is(refused(tried, { type: 'listener', names: ['ingress'], message: 'port taken' }), tried);
});

test('of what is refused together only the owners are suspected', () => {
  const tried = propose(emptyQuarantine, plan([host('a'), host('b'), host('c')]));
  const names = ['host/db.a.example', 'host/db.b.example'];
  const after = refused(tried, { type: 'listener', names, message: 'no' });
  assert.ok(after.trial.includes('link c'));
  assert.equal(after.queue, [['link a'], ['link b']]);
});

test('with nothing on trial, acknowledgements change nothing', () => {
  const good = run(propose(emptyQuarantine, plan([host('a')]))).state;
  assert.is(passed(good), good);
});

test('a link that was not proposed yet is not taken for one that the proxies hold', () => {
  const good = run(propose(emptyQuarantine, plan([host('a')]))).state;
  assert.equal(verdictOf(good, 'b'), { accepted: false });
});

test('a plan proposed anew, as other objects that say the same, leaves nothing to try and gives the very same hosts', () => {
  const good = run(propose(emptyQuarantine, plan([host('a'), host('b', 2)]))).state;
  const again = propose(good, structuredClone(plan([host('a'), host('b', 2)])));
  assert.equal(again.trial, []);
  for (const [index, same] of (current(again)?.hosts ?? []).entries()) assert.is(same, current(good)?.hosts[index]);
  const next = propose(good, structuredClone(plan([host('a'), host('b', 3)])));
  assert.equal(next.trial, ['link b']);
  assert.is(current(next)?.hosts[0], current(good)?.hosts[0]);
});

test('a link that is gone is gone, with the trust it alone used', () => {
  const good = run(propose(emptyQuarantine, plan([host('a'), host('b', 1, 'u')]))).state;
  const after = propose(good, plan([host('a')]));
  assert.equal(
    current(after)?.trusts.map(({ name }) => name),
    ['t'],
  );
  assert.equal(ports(after), [['a', 1]]);
});

test.run();
