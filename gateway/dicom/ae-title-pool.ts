/**
 * AE titles of one PACS link, one per concurrent C-MOVE (DB0 §4.8), handed out first come, first served (DB.SO.121).
 * A title whose move did not end well rests before its next use: what the PACS still sends must not reach the next move.
 */
import type { AeTitle } from '../domain.ts';
import { PacsError } from './pacs.ts';

interface Waiter {
  give(title: AeTitle): void;
  fail(error: PacsError): void;
}

export class AeTitlePool {
  readonly #free: AeTitle[];
  readonly #maxConcurrent: number;
  readonly #waiting: Waiter[] = [];
  readonly #leased = new Set<AeTitle>();
  readonly #resting = new Map<AeTitle, NodeJS.Timeout>();
  #closed = false;

  constructor(titles: readonly AeTitle[], maxConcurrent: number) {
    this.#free = [...titles];
    this.#maxConcurrent = maxConcurrent;
  }

  get leased(): number {
    return this.#leased.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get free(): number {
    return this.#free.length;
  }

  /** @throws PacsError timeout when `signal` aborts or the pool closes first */
  async acquire(signal?: AbortSignal): Promise<AeTitle> {
    return await new Promise<AeTitle>((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      if (signal?.aborted === true) return reject(gaveUp(signal));
      const onAbort = (): void => {
        const place = this.#waiting.indexOf(waiter);
        if (place >= 0) this.#waiting.splice(place, 1);
        if (signal !== undefined) reject(gaveUp(signal));
      };
      const waiter: Waiter = {
        give(title) {
          signal?.removeEventListener('abort', onAbort);
          resolve(title);
        },
        fail(error) {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
      this.#serve();
    });
  }

  /** Idempotent. @param restMs how long the title rests first */
  release(title: AeTitle, restMs = 0): void {
    if (!this.#leased.delete(title)) return;
    if (restMs > 0 && !this.#closed) this.#resting.set(title, setTimeout(() => this.#rested(title), restMs).unref());
    else this.#free.push(title);
    this.#serve();
  }

  /** Those who wait fail; leases stay valid until released. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#resting.values()) clearTimeout(timer);
    this.#resting.clear();
    for (const waiter of this.#waiting.splice(0)) waiter.fail(closedError());
  }

  #rested(title: AeTitle): void {
    this.#resting.delete(title);
    this.#free.push(title);
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.length > 0 && this.#free.length > 0 && this.#leased.size < this.#maxConcurrent) {
      // The title longest out of use first: the most time for stragglers of its last move to be over.
      const title = this.#free.shift();
      const waiter = this.#waiting.shift();
      if (title === undefined || waiter === undefined) return;
      this.#leased.add(title);
      waiter.give(title);
    }
  }
}

function closedError(): PacsError {
  return new PacsError('timeout', 'the PACS link is closing');
}

function gaveUp(signal: AbortSignal): PacsError {
  return new PacsError('timeout', 'no AE title became free before the caller gave up', undefined, {
    cause: signal.reason,
  });
}
