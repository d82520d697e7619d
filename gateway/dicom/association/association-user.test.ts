import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeEnd, describeSocketError } from './association-user.ts';

const errorOf = async (host: string, port: number): Promise<Error> => {
  const [error] = (await once(connect({ host, port }), 'close').catch((reason: unknown) => [reason])) as [Error];
  return error;
};

test('a host whose name nobody knows: the DNS is named, and what the system said', async () => {
  const words = describeSocketError(await errorOf('pacs.invalid', 104));
  assert.match(
    words,
    /^the name of the host (is not known|could not be looked up).*\(getaddrinfo \w+ pacs\.invalid\)$/,
  );
});

test('a port at which nothing listens', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const words = describeSocketError(await errorOf('127.0.0.1', port));
  assert.is(words, `nothing listens at that host and port (connect ECONNREFUSED 127.0.0.1:${port})`);
});

test('what is not known is told as it is', () => {
  assert.is(describeSocketError(new Error('write EPIPE')), 'the connection was lost (write EPIPE)');
  assert.is(describeEnd({ kind: 'lost', detail: 'the peer closed the connection' }), 'the peer closed the connection');
});

test.run();
