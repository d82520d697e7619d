/** Who we are to the API server: a service account's files, a kubeconfig, a sign-in plugin. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inClusterAccess } from './access.ts';
import { expiryOf, kubeconfigAccess } from './kubeconfig-access.ts';

let folder: string;
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'drimbox-access-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o700 });
const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

test('a service account: its token is read again after a minute, and at once after a refusal; its CA for each connection', async () => {
  let nowMs = 0;
  for (const name of ['token', 'ca.crt', 'namespace']) write(name, `${name} 1\n`);
  const access = inClusterAccess({ folder, env, nowMs: () => nowMs });
  assert.is(access.server, 'https://[fd00::1]:443');
  assert.is(access.namespace, 'namespace 1');
  write('token', 'token 2');
  write('ca.crt', 'ca 2');
  assert.equal(access.tls(), { ca: 'ca 2' });
  nowMs = 59_999;
  assert.is(await access.authorization(), 'Bearer token 1');
  nowMs = 60_000;
  assert.is(await access.authorization(), 'Bearer token 2');
  write('token', 'token 3');
  access.refused();
  assert.is(await access.authorization(), 'Bearer token 3');
});

test('no pod, no service account and an empty token are told apart', () => {
  assert.throws(() => inClusterAccess({ folder, env: {} }), /KUBERNETES_SERVICE_HOST/);
  assert.throws(() => inClusterAccess({ folder, env }), /token cannot be read: set automountServiceAccountToken/);
  write('token', ' \n');
  assert.throws(() => inClusterAccess({ folder, env }), /token is empty/);
});

const kubeconfig = (user: object): string => {
  const file = join(folder, 'kubeconfig');
  const cluster = {
    server: 'https://127.0.0.1:6443/',
    'certificate-authority-data': Buffer.from('the CA').toString('base64'),
    'tls-server-name': 'kubernetes',
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'first', context: { cluster: 'c', user: 'u' } },
      { name: 'second', context: { cluster: 'c', user: 'u', namespace: 'imaging' } },
      { name: 'broken', context: { cluster: 'gone', user: 'u' } },
    ],
    'current-context': 'first',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
};

test('a kubeconfig: server, CA, name in the certificate, context, token', async () => {
  const file = kubeconfig({ token: 'secret' });
  const access = await kubeconfigAccess(file);
  assert.is(access.server, 'https://127.0.0.1:6443');
  assert.equal(access.tls(), { ca: 'the CA', servername: 'kubernetes' });
  assert.is(await access.authorization(), 'Bearer secret');
  assert.is(access.namespace, 'default');
  assert.is((await kubeconfigAccess(file, 'second')).namespace, 'imaging');
  await kubeconfigAccess(file, 'broken').then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /context 'broken' is missing or names no cluster/),
  );
});

/** A plugin that counts its calls; its token ends `lifeMs` after `endsAt`. */
function plugin(token: string): object {
  write(
    'plugin',
    `#!/bin/sh\necho x >> "${join(folder, 'calls')}"\nn=$(wc -l < "${join(folder, 'calls')}" | tr -d ' ')\n` +
      `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'${token}'"}}'\n`,
  );
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: join(folder, 'plugin'), args: [] } };
}

const calls = (): number => readFileSync(join(folder, 'calls'), 'utf8').split('\n').length - 1;

test('a plugin: asked once, again before its token ends, again after a refusal, once for many requests', async () => {
  let now = 1_000_000_000_000;
  const exp = now / 1000 + 180;
  const jwt = `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.`;
  const access = await kubeconfigAccess(kubeconfig(plugin(`${jwt}$n`)), undefined, () => now);
  assert.is(await access.authorization(), `Bearer ${jwt}1`);
  now += 119_000;
  assert.is(await access.authorization(), `Bearer ${jwt}1`);
  now += 1_000;
  const [one, two] = await Promise.all([access.authorization(), access.authorization()]);
  assert.is(one, `Bearer ${jwt}2`);
  assert.is(two, one);
  now -= 60_000;
  access.refused();
  assert.is(await access.authorization(), `Bearer ${jwt}3`);
  assert.is(calls(), 3);
});

test('only a JWT tells when it ends', () => {
  assert.is(expiryOf(`Bearer e30.${Buffer.from('{"exp":12}').toString('base64url')}.sig`), 12_000);
  for (const token of [undefined, 'Bearer opaque', 'Bearer a.b.c', 'Basic dTpw']) assert.is(expiryOf(token), undefined);
});

test.run();
