/**
 * How long the event loop could not turn to anything else, and how much of that this thread computed: a process that is not given the
 * processor is late as well, and no change of ours would help it.
 */

export interface LoopBlocks {
  /** Longest since the last call. Ms of the clock beyond the timer's period, and of them what this thread computed. */
  take(): LoopBlock;
  stop(): void;
}

export interface LoopBlock {
  readonly clockMs: number;
  readonly ownMs: number;
}

export interface LoopClock {
  /** Ms. */
  readonly now: () => number;
  /** Ms of processor time that this thread has used. */
  readonly computed: () => number;
  /** Calls again and again until it is stopped. */
  readonly every: (periodMs: number, tick: () => void) => { readonly stop: () => void };
}

const periodMs = 20;

const processClock: LoopClock = {
  now: () => performance.now(),
  computed() {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  },
  every(period, tick) {
    const timer = setInterval(tick, period).unref();
    return { stop: () => clearInterval(timer) };
  },
};

export function watchLoop(clock: LoopClock = processClock): LoopBlocks {
  let [at, computed] = [clock.now(), clock.computed()];
  let worst: LoopBlock = { clockMs: 0, ownMs: 0 };
  const timer = clock.every(periodMs, () => {
    const [now, used] = [clock.now(), clock.computed()];
    const clockMs = Math.max(0, now - at - periodMs);
    // Within the period others had their turn: only what is beyond it held anybody up.
    const ownMs = Math.min(clockMs, used - computed);
    worst = { clockMs: Math.max(worst.clockMs, clockMs), ownMs: Math.max(worst.ownMs, ownMs) };
    [at, computed] = [now, used];
  });
  return {
    take() {
      const taken = worst;
      worst = { clockMs: 0, ownMs: 0 };
      return taken;
    },
    stop: () => timer.stop(),
  };
}
