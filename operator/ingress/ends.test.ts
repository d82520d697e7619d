/** However a connection ends, with a real Envoy: what was sent arrives first, and neither listener keeps anything of it. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { get } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TLSSocket, connect } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { target } from './call.testing.ts';
import { passageName, seriesName } from './resources/names.ts';
import { type Stage, openStage } from './stage.testing.ts';

let stage: Stage;

const nord = 'db.nord.example';
/** More than all buffers on the way hold together. */
const large = Buffer.alloc(24 * 1024 * 1024, 7);

test.before(async () => {
  stage = await openStage(false);
  await stage.apply(stage.plan);
});

test.after(async () => {
  await stage.stop();
});

function answerWith(handler: (response: ServerResponse) => void): void {
  stage.gateways.nord.handler = (_request, response) => handler(response);
}

/** A request is sent, nothing is read. */
async function ask(more = ''): Promise<TLSSocket> {
  const socket = connect(target(stage, nord));
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined); // how it ends is what the tests ask
  socket.write(`GET /studies HTTP/1.1\r\nhost: ${nord}\r\n${more}\r\n`);
  return socket;
}

/** Of both listeners, and of the way between them. */
async function open(): Promise<readonly number[]> {
  const names = [
    `listener\\.127\\.0\\.0\\.1_${stage.port}\\.downstream_cx_active`,
    'listener\\.host\\.downstream_cx_active',
    `cluster\\.${seriesName(passageName(nord))}\\.upstream_cx_active`,
  ];
  return await Promise.all(names.map(async (name) => await stage.stat(name)));
}

const ends: Readonly<Record<string, () => Promise<void>>> = {
  'the caller goes in the middle of an answer': async () => {
    answerWith((response) => response.end(large));
    const socket = await ask();
    await once(socket, 'data');
    socket.destroy();
  },
  'the caller reads nothing, and goes': async () => {
    answerWith((response) => response.end(large));
    const socket = await ask('connection: close\r\n');
    socket.pause();
    await sleep(300);
    socket.destroy();
  },
  'the caller says that it will send no more, before it is answered': async () => {
    answerWith((response) => void sleep(100).then(() => response.end('late')));
    const socket = await ask();
    socket.end();
    socket.resume();
    await once(socket, 'close');
  },
  'the gateway goes in the middle of an answer': async () => {
    answerWith((response) => {
      response.writeHead(200, { 'content-length': String(large.length) });
      response.write(large.subarray(0, 1_000_000), () => response.destroy());
    });
    const socket = await ask();
    let received = 0;
    socket.on('data', (part: Buffer) => (received += part.length));
    await once(socket, 'close');
    assert.ok(received < large.length);
  },
  'the caller goes in the middle of the handshake': async () => {
    const socket = connectPlain({ host: '127.0.0.1', port: stage.port });
    await once(socket, 'connect');
    const hello = connect({ socket, servername: nord, rejectUnauthorized: false });
    hello.on('error', () => undefined); // it is cut on purpose
    await once(hello, 'keylog'); // the answer to the first message has come
    socket.destroy();
  },
};
for (const [name, end] of Object.entries(ends))
  test(`${name}: nothing is kept of it`, async () => {
    for (let time = 0; time < 3; time += 1) await end();
    await stage.until('all let go', async () => (await open()).every((count) => count === 0));
  });

test('the last answer of a connection arrives whole, however slowly it is read', async () => {
  for (const pause of [0, 400]) {
    answerWith((response) => response.end(large));
    const outgoing = get({ ...target(stage, nord), agent: false }); // asks to close after it
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    await sleep(pause);
    let received = 0;
    for await (const part of incoming) {
      received += (part as Buffer).length;
      if (pause > 0 && received < 2_000_000) await sleep(20);
    }
    assert.is(received, large.length);
  }
  await stage.until('all let go', async () => (await open()).every((count) => count === 0));
});

test.run();
