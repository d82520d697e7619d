/** A restartable timer that never keeps the process alive. */
export interface Deadline {
  /** Starts, or starts again from now. */
  start(): void;
  stop(): void;
}

/** @param ms 0 never expires */
export function deadline(ms: number, expired: () => void): Deadline {
  if (ms === 0) return { start: () => undefined, stop: () => undefined };
  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      // refresh() costs no allocation, and this runs on every chunk read
      if (timer === undefined) timer = setTimeout(fire, ms).unref();
      else timer.refresh();
    },
    stop,
  };
  function fire(): void {
    stop();
    expired();
  }
  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
  }
}
