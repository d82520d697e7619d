/** Against real HTTP servers on loopback that answer what a gateway would. */
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type GatewayPoll, startGatewayPoll } from './gateway-poll.ts';

interface Gateway {
  readonly address: string;
  answer: { readonly code: number; readonly body: object };
  asked: number;
  /** Answers only once it is resolved. */
  held?: PromiseWithResolvers<undefined>;
  close(): Promise<void>;
}

const status = (fields: object = {}): object => ({
  apiVersion: 'gateway.drimbox.dev/v1alpha1',
  revision: 'r1',
  ready: true,
  conditions: [],
  pacs: [{ name: 'pacs', conditions: [], lastEchoTime: '2026-01-01T00:00:00Z' }],
  publications: { published: 1 },
  listening: {},
  ...fields,
});

const open: { close(): Promise<void> }[] = [];
let news: string[] = [];
let poll: GatewayPoll;

async function startGateway(): Promise<Gateway> {
  const server: Server = createServer((request, response) => {
    gateway.asked += 1;
    assert.is(request.url, '/status');
    const { code, body } = gateway.answer;
    const answer = async (): Promise<void> => {
      await gateway.held?.promise;
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    void answer();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gateway: Gateway = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: { code: 200, body: status() },
    asked: 0,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  open.push(gateway);
  return gateway;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 4_000; turn += 1) {
    if (holds()) return;
    await sleep(5);
  }
  throw new Error(`still waiting: ${what}`);
}

/** Two whole looks from now. */
async function lookedAt(gateway: Gateway): Promise<void> {
  const before = gateway.asked;
  await until('two looks', () => gateway.asked >= before + 3);
}

test.before.each(() => {
  news = [];
  poll = startGatewayPoll({
    periodMs: 10,
    onNews: (site) => news.push(site),
    urlOf: (address) => `http://${address}`,
    random: () => 0.5,
  });
});

test.after.each(async () => {
  await poll.stop();
  await Promise.all(open.splice(0).map(async (one) => await one.close()));
});

test('what is new is told once; counters and echoes that move are no news', async () => {
  const gateway = await startGateway();
  poll.follow(new Map([['ght/nord', gateway.address]]));
  await until('the first answer', () => poll.statusOf('ght/nord') !== undefined);
  const first = poll.statusOf('ght/nord');
  const pacs = [{ name: 'pacs', conditions: [], lastEchoTime: '2026-01-01T00:00:05Z' }];
  gateway.answer = { code: 200, body: status({ publications: { published: 9 }, pacs }) };
  await lookedAt(gateway);
  assert.equal(news, ['ght/nord']);
  assert.is(poll.statusOf('ght/nord'), first);
  gateway.answer = { code: 200, body: status({ revision: 'r2' }) };
  await until('the revision', () => poll.statusOf('ght/nord')?.revision === 'r2');
  assert.is(news.length, 2);
});

test('one answer missed is nothing; silence is told once, and so is the answer after it', async () => {
  const gateway = await startGateway();
  poll.follow(new Map([['ght/nord', gateway.address]]));
  await until('the first answer', () => poll.statusOf('ght/nord') !== undefined);
  gateway.answer = { code: 500, body: {} };
  await until('silence', () => poll.statusOf('ght/nord') === undefined);
  await lookedAt(gateway);
  assert.is(news.length, 2);
  gateway.answer = { code: 200, body: status() };
  await until('the answer', () => poll.statusOf('ght/nord') !== undefined);
  assert.is(news.length, 3);
});

test('an answer that is no status of a gateway counts as none', async () => {
  const gateway = await startGateway();
  gateway.answer = { code: 200, body: { apiVersion: 'other/v1', ready: true } };
  poll.follow(new Map([['ght/nord', gateway.address]]));
  await lookedAt(gateway);
  assert.is(poll.statusOf('ght/nord'), undefined);
  assert.equal(news, []);
});

test('a pod with another address is asked there from now on; one that is gone is not asked any more', async () => {
  const [former, next] = [await startGateway(), await startGateway()];
  next.answer = { code: 200, body: status({ revision: 'r2' }) };
  poll.follow(new Map([['ght/nord', former.address]]));
  await until('the first answer', () => poll.statusOf('ght/nord')?.revision === 'r1');
  poll.follow(new Map([['ght/nord', next.address]]));
  await until('the other one', () => poll.statusOf('ght/nord')?.revision === 'r2');
  poll.follow(new Map());
  assert.is(poll.statusOf('ght/nord'), undefined);
  // What was under way may still arrive.
  await sleep(50);
  const asked = [former.asked, next.asked];
  await sleep(100);
  assert.equal([former.asked, next.asked], asked);
});

test('what the former pod still answers does not count any more', async () => {
  const [former, next] = [await startGateway(), await startGateway()];
  next.answer = { code: 500, body: {} };
  former.held = Promise.withResolvers<undefined>();
  poll.follow(new Map([['ght/nord', former.address]]));
  await until('it is asked', () => former.asked === 1);
  poll.follow(new Map([['ght/nord', next.address]]));
  former.held.resolve(undefined);
  await lookedAt(next);
  assert.is(poll.statusOf('ght/nord'), undefined);
  assert.equal(news, []);
});

test('one that hangs does not keep the others waiting', async () => {
  const good = await startGateway();
  const hung = createServer(() => undefined);
  await new Promise<void>((resolve) => hung.listen(0, '127.0.0.1', resolve));
  open.push({
    async close() {
      hung.closeAllConnections();
      await new Promise((resolve) => hung.close(resolve));
    },
  });
  poll.follow(
    new Map([
      ['ght/a', `127.0.0.1:${(hung.address() as AddressInfo).port}`],
      ['ght/b', good.address],
    ]),
  );
  await until('the other one', () => poll.statusOf('ght/b') !== undefined);
  assert.is(poll.statusOf('ght/a'), undefined);
});

test.run();
