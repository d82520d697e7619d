import { createServer, connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openQuickAck } from './quick-ack.ts';

test('where TCP_QUICKACK cannot be had, the mode says off and why, and nothing breaks', async () => {
  const quickAck = openQuickAck('darwin');
  assert.is(quickAck.mode, 'off');
  assert.match(quickAck.reason, 'darwin');
});

test('acknowledging is harmless on open and on closed sockets', async () => {
  const server = createServer((socket) => socket.end('x')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const quickAck = openQuickAck();
  await once(socket, 'data');
  quickAck.acknowledge(socket);
  socket.destroy();
  await once(socket, 'close');
  quickAck.acknowledge(socket);
  server.close();
});

test.run();
