import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { drimboxHealth, echoMaximumAgeMs, pacsHealth } from './health.ts';

const now = new Date('2026-01-01T12:00:00Z');
const good = { viewer: 'answers', wadoAnswers: true, listed: true } as const;

test('healthcheck names are exactly the three of the specification', () => {
  assert.equal(
    drimboxHealth(good).checks.map(({ name }) => name),
    ['VISIONNEUSE', 'WADO-RS', 'LISTEBLANCHE'],
  );
});

test('healthcheck is DOWN as soon as one critical check is', () => {
  assert.is(drimboxHealth(good).status, 'UP');
  assert.is(drimboxHealth({ ...good, listed: false }).status, 'DOWN');
  assert.is(drimboxHealth({ ...good, wadoAnswers: false }).status, 'DOWN');
  assert.is(drimboxHealth({ ...good, viewer: 'silent' }).status, 'DOWN');
});

test('a viewer that is not there is never said to be UP', () => {
  const health = drimboxHealth({ ...good, viewer: 'not part of this gateway' });
  assert.equal(health.checks[0], { name: 'VISIONNEUSE', status: 'DOWN' });
  assert.is(health.status, 'UP');
});

test('not on the whitelist: WADO-RS is off too', () => {
  assert.equal(drimboxHealth({ ...good, listed: false }).checks[1], { name: 'WADO-RS', status: 'DOWN' });
});

test('a PACS is UP only by a recent successful echo', () => {
  const status = (ageMs: number, up: boolean): string | undefined =>
    pacsHealth([{ name: 'p', lastEchoAt: new Date(now.getTime() - ageMs), lastEchoUp: up }], now).checks[0]?.status;
  assert.is(status(0, true), 'UP');
  assert.is(status(echoMaximumAgeMs + 1, true), 'DOWN');
  assert.is(status(0, false), 'DOWN');
  assert.is(pacsHealth([{ name: 'p', lastEchoAt: undefined, lastEchoUp: true }], now).status, 'DOWN');
});

test.run();
