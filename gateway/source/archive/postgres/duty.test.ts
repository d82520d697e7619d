/** Exactly one of several gateways is on duty, and another takes over when its connection ends. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createArchive } from '../archive.ts';
import { dutyKey } from './duty.ts';
import type { SharedDatabase } from './open.ts';
import { openTestDatabase, startTestServer } from './server.testing.ts';

const server = await startTestServer();
test.after(async () => await server.close());

interface Gateway {
  readonly database: SharedDatabase;
  readonly heard: { taken: number; lost: number; work: number; refused: string[] };
}

async function open(config: Parameters<typeof openTestDatabase>[0]): Promise<Gateway> {
  const database = await openTestDatabase(config);
  const heard = { taken: 0, lost: 0, work: 0, refused: [] as string[] };
  database.duty.begin({
    taken: () => void (heard.taken += 1),
    lost: () => void (heard.lost += 1),
    refused: (detail) => void heard.refused.push(detail),
    work: () => void (heard.work += 1),
  });
  return { database, heard };
}

async function close({ database }: Gateway): Promise<void> {
  await database.duty.stop();
  await database.close();
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 1_500) throw new Error(`still waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const holders = (gateways: readonly Gateway[]): Gateway[] => gateways.filter(({ database }) => database.duty.held());

test('one of three is on duty; when the server ends its session, it knows, and another has it', async () => {
  const config = await server.newDatabase();
  const gateways = [await open(config), await open(config), await open(config)];
  await until('one is on duty', () => holders(gateways).length > 0);
  const [first] = holders(gateways);
  if (first === undefined) throw new Error('one is on duty');
  assert.is(holders(gateways).length, 1);

  const lockHolder = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted`;
  await server.server.sql(`SELECT pg_terminate_backend(pid) FROM (${lockHolder}) holder`, config.database);
  await until('it knows', () => first.heard.lost === 1);
  await until('one is on duty again', () => holders(gateways).length === 1);
  // all three may try again: still one
  assert.is(await server.server.sql(`SELECT count(*) FROM (${lockHolder}) holder`, config.database), '1');
  for (const gateway of gateways) await close(gateway);
  assert.is(await server.server.sql(`SELECT count(*) FROM (${lockHolder}) holder`, config.database), '0');
});

test('the one on duty hears of a message that another gateway keeps', async () => {
  const config = await server.newDatabase();
  const gateways = [await open(config), await open(config)];
  await until('one is on duty', () => holders(gateways).length === 1);
  const [onDuty] = holders(gateways);
  const other = gateways.find((gateway) => gateway !== onDuty);
  if (onDuty === undefined || other === undefined) throw new Error('one is on duty, one is not');
  const before = onDuty.heard.work;
  await createArchive(other.database).receive({
    controlId: 'M1',
    ris: 'ris',
    remote: '127.0.0.1',
    receivedAt: '2026-03-10T10:00:00.000Z',
    body: Buffer.from('body'),
  });
  await until('it hears', () => onDuty.heard.work > before);
  const again = onDuty.heard.work;
  await other.database.duty.announce();
  await until('it hears again', () => onDuty.heard.work > again);
  assert.is(other.heard.work, 0);
  for (const gateway of gateways) await close(gateway);
});

test('giving it up lets the next one have it', async () => {
  const config = await server.newDatabase();
  const first = await open(config);
  await until('the first is on duty', () => first.database.duty.held());
  const second = await open(config);
  await close(first);
  await until('the second is on duty', () => second.database.duty.held());
  assert.is(first.heard.lost, 0, 'given up, not lost');
  await close(second);
});

test('the server is killed: duty is lost with it, and taken again when it is back', async () => {
  const gateway = await open(await server.newDatabase());
  await until('on duty', () => gateway.database.duty.held());
  await server.server.kill();
  await until('lost', () => !gateway.database.duty.held());
  await server.server.startAgain();
  await until('on duty again', () => gateway.database.duty.held());
  assert.equal([gateway.heard.taken, gateway.heard.lost], [2, 1]);
  await close(gateway);
});

test('the archive answers, and the connection of duty is refused: it is said, once', async () => {
  const config = await server.newDatabase();
  const gateway = await open(config);
  await until('on duty', () => gateway.database.duty.held());
  // one connection is at work, and no other may come
  await server.server.sql(`ALTER ROLE ${config.user} CONNECTION LIMIT 1`);
  const lockHolder = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted`;
  await server.server.sql(`SELECT pg_terminate_backend(pid) FROM (${lockHolder}) holder`, config.database);
  await until('it says so', () => gateway.heard.refused.length > 0);
  assert.match(gateway.heard.refused[0] ?? '', /raise max_connections/);
  await server.server.sql(`ALTER ROLE ${config.user} CONNECTION LIMIT -1`);
  await until('on duty again', () => gateway.database.duty.held());
  assert.is(gateway.heard.refused.length, 1);
  await close(gateway);
});

test('sites that share a server do not share a lock', () => {
  assert.is.not(dutyKey('ght/nord'), dutyKey('ght/sud'));
  assert.ok(BigInt(dutyKey('ght/nord')) < 2n ** 63n && BigInt(dutyKey('ght/nord')) >= -(2n ** 63n));
});

test.run();
