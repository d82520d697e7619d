/** The protocol as a script: what the proxy says, what it is sent. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type DeltaRequest,
  type Refusal,
  type StreamState,
  advance,
  forgive,
  isSettled,
  newStream,
  receive,
  standingRefusal,
} from './delta-stream.ts';
import { type ResourceType, type Snapshot, resourceTypes } from './snapshot.ts';

/** `{ cluster: { a: '1' } }`: names to versions. */
function snapshot(content: Partial<Record<ResourceType, Readonly<Record<string, string>>>>): Snapshot {
  const all = resourceTypes.map((type) => [
    type,
    new Map(Object.entries(content[type] ?? {}).map(([name, version]) => [name, { version, bytes: Buffer.of() }])),
  ]);
  return Object.fromEntries(all) as Snapshot;
}

/** One stream, and what it was sent, as `TYPE:NONCE NAME=VERSION -REMOVED`. */
class Script {
  readonly state: StreamState = newStream();
  now: Snapshot;
  refusal: Refusal | undefined;

  constructor(now: Snapshot) {
    this.now = now;
  }

  says(type: ResourceType, nonce = '', more: Partial<DeltaRequest> = {}): readonly string[] {
    const request = {
      type,
      nonce,
      subscribe: [],
      unsubscribe: [],
      initialVersions: new Map<string, string>(),
      ...more,
    };
    this.refusal = receive(this.state, request, this.now);
    return this.sends();
  }

  becomes(now: Snapshot): readonly string[] {
    this.now = now;
    return this.sends();
  }

  sends(): readonly string[] {
    return advance(this.state, this.now).map(({ type, nonce, resources, removed }) =>
      [
        `${type}:${nonce}`,
        ...[...resources].map(([name, version]) => `${name}=${version}`),
        ...removed.map((name) => `-${name}`),
      ].join(' '),
    );
  }
}

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
  const next = snapshot({ cluster: { b: '1' }, listener: { ingress: '2' }, secret: {} });
  assert.equal(script.becomes(next), ['cluster:5 b=1']);
  assert.equal(script.says('cluster', '5'), ['listener:6 ingress=2']);
  assert.equal(script.says('listener', '6'), ['cluster:7 -a']);
  assert.equal(script.says('cluster', '7'), []);
  assert.ok(isSettled(script.state, next));
});

test('after a listener that changed, every secret is pushed again', () => {
  const script = settled();
  script.becomes({ ...first, listener: new Map([['ingress', { version: '2', bytes: Buffer.of() }]]) });
  assert.equal(script.says('listener', '5'), ['secret:6 trust/t=1']);
  assert.equal(script.says('secret', '6'), ['secret:7 certificate/a=1']);
});

/** A listener with these chains, `{ a: '1' }`: name to version; each with its certificate and the one trust. */
function withChains(frame: string, versions: Readonly<Record<string, string>>): Snapshot {
  const names = Object.keys(versions);
  const chains = new Map(
    Object.entries(versions).map(([name, version]) => [
      name,
      { version, secrets: [`certificate/${name}`, ...(name === 'vi' ? [] : ['trust/t'])] },
    ]),
  );
  const made = snapshot({
    cluster: Object.fromEntries(names.map((name) => [name, '1'])),
    secret: Object.fromEntries([...names.map((name) => [`certificate/${name}`, '1']), ['trust/t', '1']]),
  });
  const version = JSON.stringify([frame, versions]);
  return { ...made, listener: new Map([['ingress', { version, bytes: Buffer.of(), parts: { frame, chains } }]]) };
}

/** Names of secrets sent until the proxy has acknowledged all that follows these answers. */
function secretsAfter(script: Script, answers: readonly string[], refuse?: string): readonly string[] {
  const sent: string[] = [];
  const left = [...answers];
  for (let answer = left.shift(); answer !== undefined; answer = left.shift()) {
    const [head = '', what = ''] = answer.split(' ');
    const [type, nonce] = head.split(':') as [ResourceType, string];
    const name = what.split('=')[0] ?? '';
    if (type === 'secret') sent.push(name);
    left.push(...script.says(type, nonce, refuse !== undefined && refuse === name ? { error: 'no' } : {}));
  }
  return sent;
}

/** A proxy that holds all of it and watches every secret it has, and that of a chain to come. */
function holding(now: Snapshot): Script {
  const script = new Script(now);
  const answers = [...script.says('cluster'), ...script.says('listener')];
  script.says('secret', '', { subscribe: [...now.secret.keys(), 'certificate/c'] });
  secretsAfter(script, answers);
  assert.ok(isSettled(script.state, now));
  return script;
}

const two = withChains('f', { a: '1', b: '1' });

test('after a chain that is new, the secrets of that chain are pushed, and no others', () => {
  const script = holding(two);
  const three = withChains('f', { a: '1', b: '1', c: '1' });
  assert.equal(secretsAfter(script, script.becomes(three)), ['trust/t', 'certificate/c']);
  assert.equal(secretsAfter(script, script.becomes(withChains('f', { a: '1', b: '2', c: '1', vi: '1' }))), [
    'trust/t',
    'certificate/b',
  ]);
});

test('after a chain that went, no secret is pushed', () => {
  const script = holding(two);
  assert.equal(secretsAfter(script, script.becomes(withChains('f', { b: '1' }))), []);
});

test('after a change of anything but chains, all are new and every secret is pushed', () => {
  const script = holding(two);
  assert.equal(secretsAfter(script, script.becomes(withChains('g', { a: '1', b: '1' }))), [
    'trust/t',
    'certificate/a',
    'certificate/b',
  ]);
});

test('secrets of a chain that was tried and refused are pushed with the listener that takes its place', () => {
  const script = holding(two);
  const refused = secretsAfter(script, script.becomes(withChains('f', { a: '2', b: '1' })), 'ingress');
  assert.equal(refused, []);
  assert.equal(secretsAfter(script, script.becomes(two)), ['trust/t', 'certificate/a']);
});

test('while a listener waits for a secret, the chains it brought stay new', () => {
  const script = holding(two);
  const three = withChains('f', { a: '1', b: '1', c: '1' });
  assert.equal(secretsAfter(script, script.becomes(three), 'certificate/c'), ['trust/t', 'certificate/c']);
  const four = withChains('f', { a: '1', b: '2', c: '1' });
  const fixed = new Map([...four.secret, ['certificate/c', { version: '2', bytes: Buffer.of() }]]);
  assert.equal(secretsAfter(script, script.becomes({ ...four, secret: fixed })).toSorted(), [
    'certificate/b',
    'certificate/c',
    'trust/t',
  ]);
});

test('a proxy that returns and holds the listener gets its secrets once, and then only those of what changes', () => {
  const script = new Script(two);
  const initialVersions = new Map([['ingress', two.listener.get('ingress')?.version ?? '']]);
  const clusters = { initialVersions: new Map([...two.cluster.keys()].map((name) => [name, '1'])) };
  const answers = [...script.says('cluster', '', clusters), ...script.says('listener', '', { initialVersions })];
  script.says('secret', '', { subscribe: [...two.secret.keys()] });
  assert.is(secretsAfter(script, answers).length, 3);
  assert.equal(secretsAfter(script, script.becomes(withChains('f', { a: '1', b: '2' }))), ['trust/t', 'certificate/b']);
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
  const bad = { ...first, listener: new Map([['ingress', { version: 'bad', bytes: Buffer.of() }]]) };
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
    secret: new Map([...base.secret, [name, { version, bytes: Buffer.of() }]]),
  });
  script.becomes(one('certificate/a', 'bad', first));
  script.says('secret', '5', { error: 'no key' });
  assert.equal(script.becomes(one('trust/t', '2', first)), ['secret:6 certificate/a=1']);
  assert.equal(script.says('secret', '6'), ['secret:7 trust/t=2']);
});

test('a refusal of what was replaced meanwhile is nobody’s fault', () => {
  const script = settled();
  script.becomes({ ...first, listener: new Map([['ingress', { version: '2', bytes: Buffer.of() }]]) });
  script.becomes({ ...first, listener: new Map([['ingress', { version: '3', bytes: Buffer.of() }]]) });
  assert.equal(script.says('listener', '5', { error: 'no' }), ['listener:6 ingress=3']);
  assert.is(script.refusal, undefined);
});

test('a stale nonce acknowledges nothing, but its subscriptions count', () => {
  const script = settled();
  script.becomes({ ...first, listener: new Map([['ingress', { version: '2', bytes: Buffer.of() }]]) });
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
