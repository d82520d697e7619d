/** Bytes of one instance on their way from the socket to the handler: a bounded queue that says when to pause. */
export interface InstanceStreamHooks {
  /** More than the bound is held: stop reading the socket. */
  full(): void;
  /** Little is held again. */
  roomy(): void;
}

export class InstanceStream implements AsyncIterable<Buffer> {
  readonly #bound: number;
  readonly #hooks: InstanceStreamHooks;
  #queue: Buffer[] = [];
  #held = 0;
  #state: 'open' | 'ended' | 'failed' | 'discarding' = 'open';
  #error: Error | undefined;
  #taken = false;
  #wake: (() => void) | undefined;

  constructor(bound: number, hooks: InstanceStreamHooks) {
    this.#bound = bound;
    this.#hooks = hooks;
  }

  push(bytes: Buffer): void {
    if (this.#state !== 'open' || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#held += bytes.length;
    if (this.#held > this.#bound) this.#hooks.full();
    this.#wake?.();
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wake?.();
  }

  /** What is queued is dropped: an instance that cannot be whole must not look as if it went on. */
  fail(error: Error): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#error = error;
    this.#drop();
    this.#wake?.();
  }

  /** The handler wants no more: what still comes is dropped as it arrives. */
  discard(): void {
    if (this.#state === 'open') this.#state = 'discarding';
    this.#drop();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    if (this.#taken) throw new Error('the data of an incoming instance can be read once');
    this.#taken = true;
    try {
      for (;;) {
        const next = this.#queue.shift();
        if (next !== undefined) {
          this.#took(next.length);
          yield next;
        } else if (this.#error !== undefined) {
          throw this.#error;
        } else if (this.#state === 'open') {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          this.#wake = undefined;
        } else {
          return;
        }
      }
    } finally {
      this.discard(); // a reader that leaves early must not stop the association
    }
  }

  #took(length: number): void {
    const before = this.#held;
    this.#held -= length;
    if (before > this.#bound / 2 && this.#held <= this.#bound / 2) this.#hooks.roomy();
  }

  #drop(): void {
    this.#queue = [];
    this.#held = 0;
    this.#hooks.roomy();
  }
}
