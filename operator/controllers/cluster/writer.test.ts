import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../../common/observability/log.ts';
import { createLog } from '../../../common/observability/log.ts';
import type { ApplyOutcome } from '../../resources/kubernetes/apply.ts';
import { type Writer, type Written, startWriter, summary } from './writer.ts';

const told: string[] = [];
const log: Log = { ...createLog('error'), write: (_level, message) => void told.push(message) };
const done: Written = { done: true };

async function drained(writer: Writer, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !(holds() && writer.depth === 0); turn += 1) await sleep(5);
}

test('what fails is tried again until it is done, and others do not wait for it', async () => {
  const results: string[] = [];
  let failures = 3;
  const writer = startWriter({
    workers: 1,
    log,
    write: async (key) => {
      if (key === 'site a' && failures-- > 0) throw new Error('the API server is away');
      return done;
    },
    onResult: (key, result) => void results.push(`${key} ${result}`),
  });
  writer.add('site a', 'fresh');
  writer.add('site b', 'fresh');
  await drained(writer, () => results.includes('site a success'));
  await writer.stop();
  assert.equal(
    results.filter((one) => one.startsWith('site a')),
    ['site a error', 'site a error', 'site a error', 'site a success'],
  );
  assert.is(results[1], 'site b success');
});

test('what the cluster refuses for good waits for a change, what may pass does not', async () => {
  const seen: string[] = [];
  const writer = startWriter({
    workers: 1,
    log,
    write: async (key) => {
      seen.push(key);
      if (key === 'site invalid') return { done: false, message: 'the schema', retry: 'when changed' };
      return seen.filter((one) => one === key).length < 3 ? { done: false, message: 'quota', retry: 'soon' } : done;
    },
  });
  writer.add('site invalid', 'fresh');
  writer.add('site passing', 'fresh');
  await drained(writer, () => seen.filter((one) => one === 'site passing').length === 3);
  assert.is(seen.filter((one) => one === 'site invalid').length, 1);
  writer.add('site invalid', 'fresh');
  await drained(writer, () => seen.filter((one) => one === 'site invalid').length === 2);
  await writer.stop();
  assert.is(seen.filter((one) => one === 'site invalid').length, 2);
});

test('fresh changes go before what is only looked at again, and no key is worked on twice at once', async () => {
  const seen: string[] = [];
  const atWork = new Set<string>();
  let twice = false;
  const first = Promise.withResolvers<undefined>();
  const writer = startWriter({
    workers: 2,
    log,
    write: async (key) => {
      twice ||= atWork.has(key);
      atWork.add(key);
      if (key.startsWith('block')) await first.promise;
      seen.push(key);
      await sleep(1);
      atWork.delete(key);
      return done;
    },
  });
  writer.add('block 1', 'fresh');
  writer.add('block 2', 'fresh');
  for (const key of ['site a', 'site b', 'site c']) writer.add(key, 'resync');
  writer.add('site z', 'fresh');
  writer.add('site z', 'fresh');
  first.resolve(undefined);
  await drained(writer, () => seen.length === 6);
  await writer.stop();
  assert.is(seen.indexOf('site z'), 2);
  assert.is(seen.length, 6);
  assert.not.ok(twice);
});

test('stopped, it finishes what is under way and takes nothing new', async () => {
  const seen: string[] = [];
  const writer = startWriter({
    workers: 2,
    log,
    write: async (key) => {
      await sleep(10);
      seen.push(key);
      return done;
    },
  });
  writer.add('site a', 'fresh');
  const stopped = writer.stop();
  writer.add('site b', 'fresh');
  await stopped;
  assert.equal(seen, ['site a']);
});

test('a summary says the first refusal, and whether it may pass', () => {
  const refusal = (
    outcome: 'conflict' | 'forbidden' | 'absent' | 'invalid' | 'refused' | 'immutable',
  ): ApplyOutcome => ({
    outcome,
    message: 'no',
    fields: [],
  });
  assert.equal(summary([]), done);
  for (const outcome of ['conflict', 'forbidden', 'absent'] as const)
    assert.equal(summary([{ what: 'Service a', outcome: refusal(outcome) }]), {
      done: false,
      message: 'Service a: no',
      retry: 'soon',
    });
  for (const outcome of ['invalid', 'refused', 'immutable'] as const)
    assert.equal(summary([{ what: 'Service a', outcome: refusal(outcome) }]), {
      done: false,
      message: 'Service a: no',
      retry: 'when changed',
    });
});

test.run();
