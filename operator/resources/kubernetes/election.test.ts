/** The elector's decisions, with a lease kept by a server that checks resourceVersion and misbehaves on demand. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createKubeClient, type KubeClient } from './client.ts';
import { type Election, type ElectionOptions, startElection, waitMs } from './election.ts';
import { type FakeApiserver, type Seen, startFakeApiserver, statusOf, until } from './fake-apiserver.testing.ts';
import { createSpec, heldByOtherMs, type LeaseObject, type LeaseSpec, releaseSpec } from './lease.ts';
import { microTime } from './micro-time.ts';

let server: FakeApiserver;
let client: KubeClient;
let lease: LeaseObject | undefined;
let version: number;
let down: boolean;
let elections: Election[];
let told: string[];

test.before.each(async () => {
  server = await startFakeApiserver();
  client = createKubeClient({ access: server.access });
  [lease, version, down, elections, told] = [undefined, 1, false, [], []];
  server.other = answer;
});
test.after.each(async () => {
  down = false;
  await Promise.all(elections.map((election) => election.stop()));
  await client.close();
  await server.stop();
});

function answer({ method, body }: Seen): { readonly status: number; readonly body: unknown } {
  if (down) return { status: 503, body: statusOf(503, 'ServiceUnavailable') };
  if (method === 'GET') {
    return lease === undefined ? { status: 404, body: statusOf(404, 'NotFound') } : { status: 200, body: lease };
  }
  const wanted = JSON.parse(body) as LeaseObject;
  const current = lease?.metadata.resourceVersion;
  if (method === 'POST' ? lease !== undefined : wanted.metadata.resourceVersion !== current) {
    return { status: 409, body: statusOf(409, method === 'POST' ? 'AlreadyExists' : 'Conflict') };
  }
  put(wanted.spec ?? {});
  return { status: 200, body: lease };
}

function put(spec: LeaseSpec): void {
  version += 1;
  lease = { metadata: { name: 'leader', namespace: 'default', resourceVersion: String(version) }, spec };
}

function start(identity: string, options: Partial<ElectionOptions> = {}): Election {
  const election = startElection({
    client,
    namespace: 'default',
    name: 'leader',
    identity,
    leaseMs: 2000,
    renewDeadlineMs: 1200,
    retryMs: 40,
    onGained: () => told.push(`${identity} gained`),
    onLost: (reason) => told.push(`${identity} lost: ${reason}`),
    ...options,
  });
  elections.push(election);
  return election;
}

const spec15: LeaseSpec = createSpec(undefined, 'other', new Date(0), 15_000);
const spec = (holder: string, renewed: Date): LeaseSpec => createSpec(undefined, holder, renewed, 1000);

test('of many contenders exactly one leads, whatever conflicts they make', async () => {
  const all = Array.from({ length: 10 }, (_, at) => start(`e${at}`, { retryMs: 10 }));
  await until('one leads', () => told.length > 0);
  for (let look = 0; look < 40; look += 1) {
    assert.ok(all.filter((one) => one.isLeader()).length <= 1);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  assert.is(told.length, 1, told.join());
  const leader = all.find((one) => one.isLeader());
  assert.is(`${leader?.leader() ?? ''} gained`, told[0]);
  await leader?.stop();
  await until('the next leads', () => told.length === 2);
});

test('the clocks of others do not matter: a lease renewed "in the year 2000" or "tomorrow" is held as long as it changes', async () => {
  for (const skewed of [new Date('2000-01-01'), new Date(Date.now() + 86_400_000)]) {
    put(spec('other', skewed));
    told = [];
    const election = start(`me-${skewed.getTime()}`);
    for (let renewal = 1; renewal <= 15; renewal += 1) {
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
      put(spec('other', new Date(skewed.getTime() + renewal * 100)));
    }
    assert.equal(told, []);
    await until('led once nothing changes any more', () => election.isLeader());
    await election.stop();
  }
});

test('who takes over a lease that ran out hears whose it was; of one that was given back, nobody', async () => {
  const formers: (string | undefined)[] = [];
  put(spec('gone', new Date()));
  const first = start('first', { onGained: (former) => formers.push(former) });
  await until('led', () => first.isLeader());
  await first.stop();
  const second = start('second', { onGained: (former) => formers.push(former) });
  await until('led again', () => second.isLeader());
  assert.equal(formers, ['gone', undefined]);
});

test('an API server that fails for less than the deadline costs nothing', async () => {
  const election = start('me');
  await until('leading', () => election.isLeader());
  down = true;
  await new Promise((resolve) => {
    setTimeout(resolve, 150);
  });
  down = false;
  await until('renewed', () => (election.renewalAgeMs() ?? 1000) < 150);
  assert.equal(told, ['me gained']);
});

test('an API server that fails beyond the deadline, or falls silent: leadership is lost before the lease runs out', async () => {
  for (const how of ['503', 'silent'] as const) {
    down = false;
    told = [];
    put(spec('', new Date()));
    const errors: unknown[] = [];
    const election = start('me', { onError: (error) => errors.push(error) });
    await until('leading', () => election.isLeader());
    if (how === '503') down = true;
    else for (let count = 0; count < 20; count += 1) server.script.push({ on: 'any', answer: 'silent' });
    await until('lost', () => told.length === 2);
    assert.match(told[1] ?? '', /^me lost: not renewed for \d+ ms/);
    assert.not(election.isLeader());
    assert.is(election.renewalAgeMs(), undefined);
    assert.ok(errors.length > 0);
    const asked = server.seen.length;
    await new Promise((resolve) => {
      setTimeout(resolve, 150);
    });
    assert.is(server.seen.length, asked, 'who lost must not contend again');
    server.script.length = 0;
  }
});

test('a loop blocked past the deadline: not the leader from the first moment on, and told so', async () => {
  const election = start('me');
  await until('leading', () => election.isLeader());
  const end = performance.now() + 1300;
  while (performance.now() < end);
  assert.not(election.isLeader());
  await until('lost', () => told.length === 2);
  assert.match(told[1] ?? '', 'not renewed');
});

test('a lease taken over by hand is lost at once', async () => {
  const election = start('me');
  await until('leading', () => election.isLeader());
  put(spec('someone', new Date()));
  await until('lost', () => told.length === 2);
  assert.is(told[1], `me lost: the lease is held by 'someone'`);
  assert.not(election.isLeader());
});

test('a lease deleted by hand is made again, and nothing is lost', async () => {
  const election = start('me');
  await until('leading', () => election.isLeader());
  lease = undefined;
  await until('it is there again', () => lease?.spec?.holderIdentity === 'me');
  assert.equal(told, ['me gained']);
});

test('stop gives back only what is ours', async () => {
  put(spec('other', new Date()));
  const waiting = start('me');
  await until('seen', () => waiting.leader() === 'other');
  await waiting.stop();
  assert.is(lease?.spec?.holderIdentity, 'other');
  put(spec('', new Date()));
  const leading = start('us');
  await until('leading', () => leading.isLeader());
  await leading.stop();
  assert.is(lease?.spec?.holderIdentity, '');
  assert.equal(told, ['us gained']);
});

test('times under which two could lead are refused', () => {
  assert.throws(() => start('me', { renewDeadlineMs: 2000 }), /two could lead/);
  assert.throws(() => start('me', { retryMs: 1200 }), /two could lead/);
});

test('a leader that is gone is replaced within 18.5 s, whenever it went and however the dice fall', () => {
  const times: number[] = [];
  for (let life = 0; life < 5_000; life += 1) {
    // A contender looks; the leader renews every 2 s, and is gone a moment after it did.
    const lastRenewal = Math.random() * 20_000 + 20_000;
    let [now, observed, seenAt] = [0, -1, 0];
    for (;;) {
      const renewals = Math.floor(Math.min(now - lastRenewal, 0) / 2_000);
      if (renewals !== observed) [observed, seenAt] = [renewals, now];
      const left = heldByOtherMs(spec15, 'me', seenAt, now, 15_000);
      if (left === 0) break;
      now += waitMs(left, 2_000, life % 3 === 0 ? () => 1 : Math.random);
    }
    times.push(now - lastRenewal);
  }
  assert.ok(Math.min(...times) >= 15_000, String(Math.min(...times)));
  assert.ok(Math.max(...times) <= 18_500, String(Math.max(...times)));
  assert.ok(new Set(times.map((time) => Math.round(time / 100))).size > 10, 'they do not all come at one moment');
});

test('who waits for a lease that runs out soon does not ask all the time when the API server fails', () => {
  assert.is(
    waitMs(0, 2_000, () => 0),
    2_000,
  );
  assert.is(
    waitMs(1, 2_000, () => 1),
    501,
  );
  assert.is(
    waitMs(10_000, 2_000, () => 1),
    3_000,
  );
});

test('what a lease says', () => {
  assert.is(microTime(new Date('2026-02-03T04:05:06.789Z')), '2026-02-03T04:05:06.789000Z');
  const first = createSpec(undefined, 'a', new Date(0), 15_000);
  assert.is(first.leaseTransitions, 0);
  const second = createSpec(first, 'b', new Date(1000), 15_000);
  assert.is(second.leaseTransitions, 1);
  const renewed = createSpec(second, 'b', new Date(2000), 15_000);
  assert.is(renewed.acquireTime, second.acquireTime);
  assert.is(renewed.leaseTransitions, 1);
  assert.is(heldByOtherMs(second, 'a', 0, 14_999, 1), 1);
  assert.is(heldByOtherMs(second, 'a', 0, 15_000, 1), 0);
  assert.is(heldByOtherMs(second, 'b', 0, 1, 1), 0);
  assert.is(heldByOtherMs(releaseSpec(second, new Date(0)), 'a', 0, 0, 1), 0);
});

test.run();
