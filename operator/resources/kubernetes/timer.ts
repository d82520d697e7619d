/** setTimeout for waits of any length: the runtime's own fires at once beyond 24.8 days, and certificates live longer. */

const longestMs = 2 ** 31 - 1;

/** @returns cancels it */
export function scheduleAfter(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    const step = Math.min(leftMs, longestMs);
    timer = setTimeout(() => (leftMs > step ? wait(leftMs - step) : callback()), step);
  };
  wait(Math.max(0, delayMs));
  return () => clearTimeout(timer);
}
