/** Which secrets follow a listener: those of chains that a proxy may have built anew, and no others. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isSettled } from './delta-stream.ts';
import { Script, snapshot } from './script.testing.ts';
import type { ResourceType, Snapshot } from './snapshot.ts';

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
  return { ...made, listener: new Map([['ingress', { version, pieces: [], parts: { frame, chains } }]]) };
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
  const fixed = new Map([...four.secret, ['certificate/c', { version: '2', pieces: [] }]]);
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

test.run();
