/** Events: how many are written, and what happens when they cannot be. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createKubeClient, type KubeClient } from './client.ts';
import { eventDocument } from './event-document.ts';
import { createEventLimits } from './event-limits.ts';
import { createEventRecorder, type EventRecorder, type EventRecorderOptions } from './events.ts';
import { configMap, type FakeApiserver, startFakeApiserver, statusOf } from './fake-apiserver.testing.ts';

let server: FakeApiserver;
let client: KubeClient;
let nowMs: number;
let outcomes: string[];
const errors: unknown[] = [];

test.before.each(async () => {
  server = await startFakeApiserver();
  server.other = ({ method, body }) => ({ status: 200, body: method === 'POST' ? JSON.parse(body) : {} });
  client = createKubeClient({ access: server.access, qps: 10_000, burst: 10_000 });
  [nowMs, outcomes] = [Date.parse('2026-01-01T00:00:00Z'), []];
  errors.length = 0;
});
test.after.each(async () => {
  await client.close();
  await server.stop();
});

function open(options: Partial<EventRecorderOptions> = {}): EventRecorder {
  return createEventRecorder({
    client,
    instance: 'operator-0',
    now: () => new Date(nowMs),
    onRecorded: (outcome) => outcomes.push(outcome),
    onError: (error) => errors.push(error),
    ...options,
  });
}

const note = (name: string, text = 'the same') =>
  ({ regarding: configMap(name), type: 'Normal', reason: 'Applied', action: 'Apply', note: text }) as const;

const sent = (): unknown[] =>
  server.seen.map(({ method, body }) => (method === 'PATCH' ? (JSON.parse(body) as unknown) : method));

test('a repetition within six minutes is a count, told once at the second and once at the end', async () => {
  const recorder = open();
  recorder.record(note('one'));
  await recorder.settled();
  for (let count = 0; count < 9; count += 1) {
    nowMs += 60_000;
    recorder.record(note('one'));
    await recorder.settled();
  }
  await recorder.stop();
  const [created, first, last] = sent() as [string, Counted, Counted];
  assert.is(created, 'POST');
  assert.is(server.seen.length, 3);
  assert.is(first.series.count, 2);
  assert.equal(last, { series: { count: 10, lastObservedTime: '2026-01-01T00:09:00.000000Z' } });
});

interface Counted {
  readonly series: { readonly count: number };
}

test('after six minutes of silence, or for another object or text, it is a new event', async () => {
  const recorder = open();
  recorder.record(note('one'));
  nowMs += 360_000;
  recorder.record(note('one'));
  recorder.record(note('two'));
  recorder.record(note('two', 'another'));
  await recorder.stop();
  assert.equal(sent(), ['POST', 'POST', 'POST', 'POST']);
  assert.is(
    new Set(server.seen.map(({ body }) => (JSON.parse(body) as { metadata: { name: string } }).metadata.name)).size,
    4,
  );
});

test('an object that never stops talking is cut off after 25, then heard every five minutes', async () => {
  const recorder = open();
  for (let count = 0; count < 100; count += 1) recorder.record(note('one', `text ${count}`));
  await recorder.settled();
  assert.is(outcomes.filter((one) => one === 'created').length, 25);
  assert.is(outcomes.filter((one) => one === 'dropped').length, 75);
  nowMs += 300_000;
  recorder.record(note('one', 'later'));
  recorder.record(note('one', 'too soon'));
  await recorder.stop();
  assert.is(outcomes.filter((one) => one === 'created').length, 26);
});

test('ten thousand objects at once do not drown the API server, and are not remembered for ever', () => {
  const limits = createEventLimits(() => nowMs);
  const allowed = (): number =>
    Array.from({ length: 10_000 }, (_, at) => limits.allows(`o${at}`)).filter(Boolean).length;
  assert.is(allowed(), 100);
  nowMs += 2000;
  assert.is(allowed(), 10);
  // A clock set back refills nothing and breaks nothing.
  nowMs -= 3_600_000;
  assert.is(allowed(), 0);
});

test('what cannot be written is told and lost: nothing is thrown, and the next one is tried', async () => {
  const recorder = open();
  server.script.push({ on: 'any', answer: 403 }, { on: 'any', answer: 'reset' });
  recorder.record(note('one'));
  recorder.record(note('one'));
  await recorder.settled();
  recorder.record(note('two'));
  await recorder.settled();
  recorder.record(note('one'));
  await recorder.stop();
  recorder.record(note('one'));
  assert.equal(outcomes, ['failed', 'failed', 'created', 'dropped']);
  assert.is(errors.length, 2);
});

test('a series whose event has expired begins as a new event', async () => {
  const recorder = open();
  recorder.record(note('one'));
  await recorder.settled();
  server.script.push({ on: 'any', answer: 404, body: statusOf(404, 'NotFound') });
  recorder.record(note('one'));
  await recorder.settled();
  recorder.record(note('one'));
  await recorder.stop();
  assert.equal(errors, []);
  assert.equal(outcomes, ['created', 'created']);
});

test('notes, names and reasons are cut to what the API accepts, never in the middle of a character', () => {
  const long = { ...note('n'.repeat(253), 'é€😀'.repeat(400)), reason: 'R'.repeat(300) };
  const document = eventDocument(long, 'i'.repeat(300), 'abc', new Date(0)) as ReturnType<typeof eventDocument> & {
    readonly note: string;
    readonly reason: string;
  };
  assert.ok(Buffer.byteLength(document.note) <= 1024);
  assert.not(document.note.includes('�'));
  assert.is(document.reason.length, 128);
  assert.is(document.metadata.name.length, 253);
});

test.run();
