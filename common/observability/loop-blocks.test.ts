import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LoopClock, watchLoop } from './loop-blocks.ts';

interface Scripted extends LoopClock {
  /** Lets time pass until the timer is called again. */
  tick(clockMs: number, computedMs: number): void;
  readonly stopped: boolean;
}

function scripted(): Scripted {
  let [now, computed, stopped] = [1_000, 50, false];
  let call = (): void => undefined;
  return {
    now: () => now,
    computed: () => computed,
    every(_period, tick) {
      call = tick;
      return { stop: () => (stopped = true) };
    },
    tick(clockMs, computedMs) {
      now += clockMs;
      computed += computedMs;
      call();
    },
    get stopped() {
      return stopped;
    },
  };
}

test('a timer in time is no block, whatever was computed in between', () => {
  const clock = scripted();
  const blocks = watchLoop(clock);
  clock.tick(20, 19);
  clock.tick(20, 0);
  assert.equal(blocks.take(), { clockMs: 0, ownMs: 0 });
});

test('computing for 80 ms is a block of our own; waiting for the processor is one of the clock alone', () => {
  const clock = scripted();
  const blocks = watchLoop(clock);
  clock.tick(80, 78);
  assert.equal(blocks.take(), { clockMs: 60, ownMs: 60 });
  clock.tick(300, 4);
  assert.equal(blocks.take(), { clockMs: 280, ownMs: 4 });
});

test('the longest counts until it is taken', () => {
  const clock = scripted();
  const blocks = watchLoop(clock);
  clock.tick(120, 100);
  clock.tick(40, 10);
  assert.equal(blocks.take(), { clockMs: 100, ownMs: 100 });
  assert.equal(blocks.take(), { clockMs: 0, ownMs: 0 });
  blocks.stop();
  assert.ok(clock.stopped);
});

test('of this process: a loop that computes is seen', async () => {
  const blocks = watchLoop();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const until = process.threadCpuUsage().user + 100_000;
  while (process.threadCpuUsage().user < until);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const { clockMs, ownMs } = blocks.take();
  blocks.stop();
  assert.ok(ownMs >= 60 && clockMs >= ownMs, `${clockMs} ${ownMs}`);
});

test.run();
