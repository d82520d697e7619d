import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { unsentBytes, untilSent } from './unsent.ts';

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, state: string, queues: string): string =>
  `   0: 0100007F:${local} 0100007F:1F91 ${state} ${queues} 01:00000014 00000000     0        0 0 2 0000 20 4 0 10 -1`;

test('of a port, in the states in which something may still be on its way', () => {
  const table = [
    head,
    line('20FB', '01', '00000010:00000007'),
    line('20FB', '04', '00000100:00000000'),
    line('20FB', '06', '00001000:00000000'), // all acknowledged long ago
    line('20FB', '0A', '00002000:00000000'), // listens
    line('20FC', '01', '00004000:00000000'),
  ].join('\n');
  assert.is(unsentBytes(table, 8443), 0x110);
  assert.is(unsentBytes(table, 8444), 0x4000);
  assert.is(unsentBytes('', 8443), 0);
});

/** A connection that the server wrote to and closed, and whose peer reads nothing yet. */
async function closedUnread(bytes: number): Promise<{ readonly port: number; readonly reader: Socket }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // its peer goes in the end
    socket.end(Buffer.alloc(bytes));
    socket.destroySoon();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const reader = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  reader.on('error', () => undefined); // how much came is what is asked
  reader.pause();
  await once(reader, 'connect');
  server.close();
  await sleep(100);
  return { port, reader };
}

test('what a peer has not taken is waited for, also when its connection is closed here', async () => {
  const bytes = 12 * 1024 * 1024;
  const { port, reader } = await closedUnread(bytes);
  let sent = false;
  const waiting = untilSent(port, 60_000).then(() => (sent = true));
  await sleep(200);
  assert.not.ok(sent);
  let read = 0;
  reader.on('data', (chunk: Buffer) => (read += chunk.length));
  const ended = once(reader, 'end');
  reader.resume();
  await waiting;
  await ended;
  assert.is(read, bytes);
  reader.destroy();
});

test('but not for ever', async () => {
  const { port, reader } = await closedUnread(12 * 1024 * 1024);
  await untilSent(port, 100);
  reader.destroy();
});

test.run();
