/** The protocol as a script: what the proxy says, what it is sent. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DeltaRequest, forgive, isSettled, standingRefusal } from './delta-stream.ts';
import { Script, snapshot } from './script.testing.ts';
import type { Snapshot } from './snapshot.ts';

const first = snapshot({
  cluster: { a: '1' },
  listener: { ingress: '1' },
  secret: { 'certificate/a': '1', 'trust/t': '1' },
});
const subscribe = ['certificate/a', 'trust/t'];

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

test('clusters, then the listener, then secrets, each after the acknowledgement of what it needs', () => {
  const script = new Script(first);
  assert.equal(script.says('listener'), []);
  assert.equal(script.says('cluster'), ['cluster:1 a=1']);
  assert.equal(script.says('secret', '', { subscribe }), []);
  assert.equal(script.says('cluster', '1'), ['listener:2 ingress=1']);
  assert.equal(script.says('listener', '2'), ['secret:3 trust/t=1']);
  assert.not.ok(isSettled(script.state, first));
  assert.equal(script.says('secret', '3'), ['secret:4 certificate/a=1']);
  assert.equal(script.says('secret', '4'), []);
  assert.ok(isSettled(script.state, first));
});

test('thousands of clusters go in several responses, and the listener waits for the last of them', () => {
  const names = Array.from({ length: 1234 }, (_, index) => `c${index}`);
  const script = new Script(
    snapshot({ cluster: Object.fromEntries(names.map((name) => [name, '1'])), listener: { ingress: '1' } }),
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
  assert.equal(answers, ['listener:4 ingress=1']);
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
    secret: new Map([...first.secret, ['certificate/a', { version: '2', pieces: [] }]]),
  };
  assert.equal(script.becomes(changed), ['secret:5 certificate/a=2']);
});

test('additions before, removals after the listener that no longer uses them', () => {
  const script = settled();
  const next = snapshot({ cluster: { b: '1' }, listener: { ingress: '2' }, secret: {} });
  assert.equal(script.becomes(next), ['cluster:5 b=1']);
  assert.equal(script.says('cluster', '5'), ['listener:6 ingress=2']);
  assert.equal(script.says('listener', '6'), ['cluster:7 -a']);
  assert.equal(script.says('cluster', '7'), []);
  assert.ok(isSettled(script.state, next));
});

test('after a listener that changed, every secret is pushed again', () => {
  const script = settled();
  script.becomes({ ...first, listener: new Map([['ingress', { version: '2', pieces: [] }]]) });
  assert.equal(script.says('listener', '5'), ['secret:6 trust/t=1']);
  assert.equal(script.says('secret', '6'), ['secret:7 certificate/a=1']);
});

test('on a new stream clusters and listeners held are not sent again, secrets are', () => {
  const script = new Script(first);
  const held = (name: string): Partial<DeltaRequest> => ({ initialVersions: new Map([[name, '1']]) });
  assert.equal(script.says('cluster', '', held('a')), ['cluster:1']);
  script.says('listener', '', held('ingress'));
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
  script.says('listener', '', { initialVersions: new Map([['ingress', '1']]) });
  assert.equal(script.says('cluster', '1'), ['cluster:2 -old']);
});

test('refused: told with names and words, not sent again, and the former is restored', () => {
  const script = settled();
  const bad = {
    ...first,
    secret: new Map([...first.secret, ['certificate/a', { version: 'bad', pieces: [] }]]),
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
  const bad = { ...first, listener: new Map([['ingress', { version: 'bad', pieces: [] }]]) };
  script.becomes(bad);
  assert.equal(script.says('listener', '5', { error: 'port taken' }), []);
  assert.equal(script.becomes(bad), []);
  assert.equal(standingRefusal(script.state, bad), { type: 'listener', names: ['ingress'], message: 'port taken' });
  assert.is(standingRefusal(script.state, first), undefined);
  forgive(script.state);
  assert.equal(script.sends(), ['listener:6 ingress=bad']);
});

test('what takes the place of something refused goes before a shared trust', () => {
  const script = settled();
  const one = (name: string, version: string, base: Snapshot): Snapshot => ({
    ...base,
    secret: new Map([...base.secret, [name, { version, pieces: [] }]]),
  });
  script.becomes(one('certificate/a', 'bad', first));
  script.says('secret', '5', { error: 'no key' });
  assert.equal(script.becomes(one('trust/t', '2', first)), ['secret:6 certificate/a=1']);
  assert.equal(script.says('secret', '6'), ['secret:7 trust/t=2']);
});

test('a refusal of what was replaced meanwhile is nobody’s fault', () => {
  const script = settled();
  script.becomes({ ...first, listener: new Map([['ingress', { version: '2', pieces: [] }]]) });
  script.becomes({ ...first, listener: new Map([['ingress', { version: '3', pieces: [] }]]) });
  assert.equal(script.says('listener', '5', { error: 'no' }), ['listener:6 ingress=3']);
  assert.is(script.refusal, undefined);
});

test('a stale nonce acknowledges nothing, but its subscriptions count', () => {
  const script = settled();
  script.becomes({ ...first, listener: new Map([['ingress', { version: '2', pieces: [] }]]) });
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

test.run();
