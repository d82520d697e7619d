/** The protocol as a script: what the proxy says, what it is sent. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { forgive, isSettled, standingRefusal } from './delta-stream.ts';
import type { DeltaRequest } from './messages.ts';
import { Script, snapshot } from './script.testing.ts';
import type { Resource, Snapshot } from './snapshot.ts';

const first = snapshot({
  cluster: { a: '1' },
  listener: { 'host/a': '1' },
  secret: { 'certificate/a': '1', 'trust/t': '1' },
});
const subscribe = ['certificate/a', 'trust/t'];

/** The listener of `a` in this version. */
function listening(version: string): Snapshot {
  return { ...first, listener: new Map([['host/a', { version, bytes: Buffer.of(), secrets: subscribe }]]) };
}

/** A proxy that holds all of `first`. */
function settled(): Script {
  const script = new Script(first);
  script.says('cluster');
  script.says('listener');
  script.says('cluster', '1');
  script.says('secret', '', { subscribe });
  script.says('listener', '2');
  script.says('secret', '3');
  script.says('secret', '4');
  assert.ok(isSettled(script.state, first));
  return script;
}

test('clusters, then listeners, then secrets, each after the acknowledgement of what it needs', () => {
  const script = new Script(first);
  assert.equal(script.says('listener'), []);
  assert.equal(script.says('cluster'), ['cluster:1 a=1']);
  assert.equal(script.says('secret', '', { subscribe }), []);
  assert.equal(script.says('cluster', '1'), ['listener:2 host/a=1']);
  assert.equal(script.says('listener', '2'), ['secret:3 trust/t=1']);
  assert.not.ok(isSettled(script.state, first));
  assert.equal(script.says('secret', '3'), ['secret:4 certificate/a=1']);
  assert.equal(script.says('secret', '4'), []);
  assert.ok(isSettled(script.state, first));
});

test('thousands of clusters go in several responses, and the listener waits for the last of them', () => {
  const names = Array.from({ length: 1234 }, (_, index) => `c${index}`);
  const script = new Script(
    snapshot({ cluster: Object.fromEntries(names.map((name) => [name, '1'])), listener: { 'host/a': '1' } }),
  );
  script.says('listener');
  const sent: string[] = [];
  let answers = script.says('cluster');
  while (answers[0]?.startsWith('cluster') === true) {
    assert.is(answers.length, 1);
    const [head = '', ...some] = answers[0].split(' ');
    assert.ok(some.length <= 500);
    sent.push(...some);
    answers = script.says('cluster', head.split(':')[1]);
  }
  assert.equal(
    sent,
    names.map((name) => `${name}=1`),
  );
  assert.equal(answers, ['listener:4 host/a=1']);
});

test('nothing is sent twice when nothing changed', () => {
  const script = settled();
  assert.equal(script.becomes(first), []);
  assert.equal(script.says('secret'), []);
});

test('a changed secret is sent alone', () => {
  const script = settled();
  const changed = {
    ...first,
    secret: new Map([...first.secret, ['certificate/a', { version: '2', bytes: Buffer.of() }]]),
  };
  assert.equal(script.becomes(changed), ['secret:5 certificate/a=2']);
});

test('additions before, removals after the listener that no longer uses them', () => {
  const script = settled();
  const next = snapshot({ cluster: { b: '1' }, listener: { 'host/a': '2' }, secret: {} });
  assert.equal(script.becomes(next), ['cluster:5 b=1']);
  assert.equal(script.says('cluster', '5'), ['listener:6 host/a=2']);
  assert.equal(script.says('listener', '6'), ['cluster:7 -a']);
  assert.equal(script.says('cluster', '7'), []);
  assert.ok(isSettled(script.state, next));
});

test('after a listener that changed, its secrets are pushed again', () => {
  const script = settled();
  script.becomes(listening('2'));
  assert.equal(script.says('listener', '5'), ['secret:6 trust/t=1']);
  assert.equal(script.says('secret', '6'), ['secret:7 certificate/a=1']);
});

test('on a new stream clusters and listeners held are not sent again, secrets are', () => {
  const script = new Script(first);
  const held = (name: string): Partial<DeltaRequest> => ({ initialVersions: new Map([[name, '1']]) });
  assert.equal(script.says('cluster', '', held('a')), ['cluster:1']);
  script.says('listener', '', held('host/a'));
  assert.equal(script.says('cluster', '1'), ['listener:2']);
  script.says('listener', '2');
  const initialVersions = new Map(subscribe.map((name) => [name, '1']));
  assert.equal(script.says('secret', '', { subscribe, initialVersions }), ['secret:3 trust/t=1']);
  assert.equal(script.says('secret', '3'), ['secret:4 certificate/a=1']);
});

test('what a returning proxy holds too much is removed', () => {
  const script = new Script(first);
  script.says('cluster', '', {
    initialVersions: new Map([
      ['a', '1'],
      ['old', '1'],
    ]),
  });
  script.says('listener', '', { initialVersions: new Map([['host/a', '1']]) });
  assert.equal(script.says('cluster', '1'), ['cluster:2 -old']);
});

test('refused: told with names and words, not sent again, and the former is restored', () => {
  const script = settled();
  const bad = {
    ...first,
    secret: new Map([...first.secret, ['certificate/a', { version: 'bad', bytes: Buffer.of() }]]),
  };
  script.becomes(bad);
  assert.equal(script.says('secret', '5', { error: 'no key' }), []);
  assert.equal(script.refusal, { type: 'secret', names: ['certificate/a'], message: 'no key' });
  assert.not.ok(isSettled(script.state, bad));
  assert.equal(script.becomes(first), ['secret:6 certificate/a=1']);
  script.says('secret', '6');
  assert.ok(isSettled(script.state, first));
});

test('what was refused is sent again when it is forgiven, and not before', () => {
  const script = settled();
  const bad = listening('bad');
  script.becomes(bad);
  assert.equal(script.says('listener', '5', { error: 'port taken' }), []);
  assert.equal(script.becomes(bad), []);
  assert.equal(standingRefusal(script.state, bad), { type: 'listener', names: ['host/a'], message: 'port taken' });
  assert.is(standingRefusal(script.state, first), undefined);
  forgive(script.state);
  assert.equal(script.sends(), ['listener:6 host/a=bad']);
});

test('what takes the place of something refused goes before a shared trust', () => {
  const script = settled();
  const one = (name: string, version: string, base: Snapshot): Snapshot => ({
    ...base,
    secret: new Map([...base.secret, [name, { version, bytes: Buffer.of() }]]),
  });
  script.becomes(one('certificate/a', 'bad', first));
  script.says('secret', '5', { error: 'no key' });
  assert.equal(script.becomes(one('trust/t', '2', first)), ['secret:6 certificate/a=1']);
  assert.equal(script.says('secret', '6'), ['secret:7 trust/t=2']);
});

test('what takes the place of something refused goes before a listener that uses it, and the listener waits for it', () => {
  const script = settled();
  const one = (version: string, base: Snapshot): Snapshot => ({
    ...base,
    secret: new Map([...base.secret, ['certificate/a', { version, bytes: Buffer.of() }]]),
  });
  script.becomes(one('bad', first));
  script.says('secret', '5', { error: 'no key' });
  assert.equal(script.becomes(one('2', listening('2'))), ['secret:6 certificate/a=2']);
  assert.equal(script.says('secret', '6'), ['listener:7 host/a=2']);
  assert.equal(script.says('listener', '7'), ['secret:8 trust/t=1']);
});

test('a refusal of what was replaced meanwhile is nobody’s fault', () => {
  const script = settled();
  script.becomes(listening('2'));
  script.becomes(listening('3'));
  assert.equal(script.says('listener', '5', { error: 'no' }), ['listener:6 host/a=3']);
  assert.is(script.refusal, undefined);
});

test('a stale nonce acknowledges nothing, but its subscriptions count', () => {
  const script = settled();
  script.becomes(listening('2'));
  assert.equal(script.says('listener', '2'), [], 'still waiting for 5');
  const stale = { subscribe: ['certificate/a'] };
  script.says('listener', '5');
  assert.equal(script.says('secret', 'stale', stale), []);
  assert.equal(script.says('secret', '6'), ['secret:7 certificate/a=1']);
});

test('a secret is never removed, also when it is gone, and an unknown one is not spoken of', () => {
  const script = settled();
  assert.equal(script.becomes({ ...first, secret: new Map() }), []);
  assert.equal(script.says('secret', '', { subscribe: ['unknown'] }), []);
});

test('an empty world is said, so that a proxy does not wait for it', () => {
  const script = new Script(snapshot({}));
  assert.equal(script.says('cluster'), ['cluster:1']);
  script.says('cluster', '1');
  assert.equal(script.says('listener'), ['listener:2']);
});

const doors = snapshot({ listener: { ingress: '1', 'host/a': '1', 'host/b': '1' } });

test('the public listener comes when all that it leads to are there', () => {
  const script = new Script(doors);
  script.says('cluster');
  script.says('cluster', '1');
  assert.equal(script.says('listener'), ['listener:2 host/a=1 host/b=1']);
  assert.equal(script.says('listener', '2'), ['listener:3 ingress=1']);
});

test('of several that are refused together each is tried by itself, and only what is refused then is told', () => {
  const script = new Script(doors);
  script.says('cluster');
  script.says('cluster', '1');
  script.says('listener');
  assert.equal(script.says('listener', '2', { error: 'one of them' }), ['listener:3 host/a=1']);
  assert.is(script.refusal, undefined);
  assert.equal(script.says('listener', '3'), ['listener:4 host/b=1']);
  assert.equal(script.says('listener', '4', { error: 'b' }), []);
  assert.equal(script.refusal, { type: 'listener', names: ['host/b'], message: 'b' });
  assert.equal(standingRefusal(script.state, doors), { type: 'listener', names: ['host/b'], message: 'b' });
});

test('while one listener is refused the public one waits, secrets do not, and it comes when the other is gone', () => {
  const fed = { ...doors, secret: new Map([['certificate/a', { version: '1', bytes: Buffer.of() }]]) };
  const script = new Script(fed);
  script.says('cluster');
  script.says('cluster', '1');
  script.says('listener');
  script.says('listener', '2', { error: 'one of them' });
  script.says('listener', '3');
  assert.equal(script.says('listener', '4', { error: 'b' }), []);
  assert.equal(script.says('secret', '', { subscribe: ['certificate/a'] }), ['secret:5 certificate/a=1']);
  const rest = { ...fed, listener: new Map([...doors.listener].filter(([name]) => name !== 'host/b')) };
  assert.equal(script.becomes(rest), ['listener:6 ingress=1 -host/b']);
});

test('only the secrets of the listener that changed are pushed', () => {
  const named = (name: string, version: string): [string, Resource] => [
    `host/${name}`,
    { version, bytes: Buffer.of(), secrets: [`certificate/${name}`, 'trust/t'] },
  ];
  const secret = { 'certificate/a': '1', 'certificate/b': '1', 'trust/t': '1' };
  const now = { ...snapshot({ secret }), listener: new Map([named('a', '1'), named('b', '1')]) };
  const script = new Script(now);
  script.says('cluster');
  script.says('listener');
  script.says('cluster', '1');
  script.says('secret', '', { subscribe: Object.keys(secret) });
  script.says('listener', '2');
  for (const nonce of ['3', '4', '5']) script.says('secret', nonce);
  assert.ok(isSettled(script.state, now));
  const next = { ...now, listener: new Map([named('a', '1'), named('b', '2')]) };
  assert.equal(script.becomes(next), ['listener:6 host/b=2']);
  assert.equal(script.says('listener', '6'), ['secret:7 trust/t=1']);
  assert.equal(script.says('secret', '7'), ['secret:8 certificate/b=1']);
  assert.equal(script.says('secret', '8'), []);
});

test.run();
