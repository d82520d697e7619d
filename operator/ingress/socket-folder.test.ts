import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { socketFolder } from './socket-folder.ts';

test('sockets stand in the ingress folder when its path leaves room', () => {
  assert.is(socketFolder('/state/ingress').controlPlane, '/state/ingress/xds.sock');
});

test('a path too long for a socket gets a private folder, gone when it is removed', () => {
  const sockets = socketFolder(`/${'x'.repeat(120)}/ingress`);
  const folder = dirname(sockets.admin);
  assert.ok(Buffer.byteLength(sockets.admin) <= 107);
  assert.is(statSync(folder).mode & 0o777, 0o700);
  sockets.remove();
  assert.not.ok(existsSync(folder));
});

test.run();
