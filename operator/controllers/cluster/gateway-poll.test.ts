/** Against real HTTP servers on loopback that answer what a gateway would. */
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type GatewayPoll, type PodAddress, startGatewayPoll } from './gateway-poll.ts';

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

function at(addresses: Readonly<Record<string, string>>): ReadonlyMap<string, PodAddress> {
  return new Map(
    Object.entries(addresses).map(([pod, address]) => [pod, { site: pod.slice(0, pod.lastIndexOf('-')), address }]),
  );
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
    onNews: (pod) => news.push(pod),
    urlOf: ({ address }) => `http://${address}`,
    random: () => 0.5,
  });
});

test.after.each(async () => {
  await poll.stop();
  await Promise.all(open.splice(0).map(async (one) => await one.close()));
});

test('what is new is told once; counters and echoes that move are no news', async () => {
  const gateway = await startGateway();
  poll.follow(at({ 'ght/nord-0': gateway.address }));
  await until('the first answer', () => poll.statusOf('ght/nord-0') !== undefined);
  const first = poll.statusOf('ght/nord-0');
  const pacs = [{ name: 'pacs', conditions: [], lastEchoTime: '2026-01-01T00:00:05Z' }];
  gateway.answer = { code: 200, body: status({ publications: { published: 9 }, pacs }) };
  await lookedAt(gateway);
  assert.equal(news, ['ght/nord-0']);
  assert.is(poll.statusOf('ght/nord-0'), first);
  gateway.answer = { code: 200, body: status({ revision: 'r2' }) };
  await until('the revision', () => poll.statusOf('ght/nord-0')?.revision === 'r2');
  assert.is(news.length, 2);
});

test('one answer missed is nothing; silence is told once, and so is the answer after it', async () => {
  const gateway = await startGateway();
  poll.follow(at({ 'ght/nord-0': gateway.address }));
  await until('the first answer', () => poll.statusOf('ght/nord-0') !== undefined);
  gateway.answer = { code: 500, body: {} };
  await until('silence', () => poll.statusOf('ght/nord-0') === undefined);
  await lookedAt(gateway);
  assert.is(news.length, 2);
  gateway.answer = { code: 200, body: status() };
  await until('the answer', () => poll.statusOf('ght/nord-0') !== undefined);
  assert.is(news.length, 3);
});

test('an answer that is no status of a gateway counts as none', async () => {
  const gateway = await startGateway();
  gateway.answer = { code: 200, body: { apiVersion: 'other/v1', ready: true } };
  poll.follow(at({ 'ght/nord-0': gateway.address }));
  await lookedAt(gateway);
  assert.is(poll.statusOf('ght/nord-0'), undefined);
  assert.equal(news, []);
});

test('a pod with another address is asked there from now on; one that is gone is not asked any more', async () => {
  const [former, next] = [await startGateway(), await startGateway()];
  next.answer = { code: 200, body: status({ revision: 'r2' }) };
  poll.follow(at({ 'ght/nord-0': former.address }));
  await until('the first answer', () => poll.statusOf('ght/nord-0')?.revision === 'r1');
  poll.follow(at({ 'ght/nord-0': next.address }));
  await until('the other one', () => poll.statusOf('ght/nord-0')?.revision === 'r2');
  poll.follow(new Map());
  assert.is(poll.statusOf('ght/nord-0'), undefined);
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
  poll.follow(at({ 'ght/nord-0': former.address }));
  await until('it is asked', () => former.asked === 1);
  poll.follow(at({ 'ght/nord-0': next.address }));
  former.held.resolve(undefined);
  await lookedAt(next);
  assert.is(poll.statusOf('ght/nord-0'), undefined);
  assert.equal(news, []);
});

test('gateways that hang keep those that answer waiting neither at first nor later', async () => {
  const good = await startGateway();
  const hung = await Promise.all(Array.from({ length: 20 }, startGateway));
  const released = Promise.withResolvers<undefined>();
  for (const one of hung) one.held = released;
  poll.follow(at({ 'ght/good-0': good.address }));
  await until('the one that is well', () => poll.statusOf('ght/good-0') !== undefined);
  const places = hung.map(({ address }, index) => [`ght/hung-${index}`, address] as const);
  poll.follow(at({ ...Object.fromEntries(places), 'ght/good-0': good.address }));
  await until('as many as may be hang', () => hung.filter(({ asked }) => asked === 1).length === 16);
  const before = good.asked;
  await until('five looks', () => good.asked >= before + 5);
  // Each of them is still in its first question.
  assert.is(Math.max(...hung.map(({ asked }) => asked)), 1);
  assert.is(hung.filter(({ asked }) => asked === 1).length, 16);
  released.resolve(undefined);
  await until('the others after them', () =>
    hung.every((_one, index) => poll.statusOf(`ght/hung-${index}`) !== undefined),
  );
});

test.run();
