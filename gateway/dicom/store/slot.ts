/** The place of one AE title held for one C-MOVE: where its instances go, who is sending, and when it last gave a sign of life. */
import type { AeTitle, Uid } from '../../domain.ts';
import type { StoreHandler } from '../pacs.ts';

/** Where instances of an association go. */
export interface StoreBinding {
  /** Name of the PACS, for the journal. */
  readonly owner: string;
  readonly handler: StoreHandler;
  /** Transfer syntaxes, most wanted first. */
  readonly accept: readonly Uid[];
}

/** A session as its slot sees it. */
export interface SlotSession {
  /** We, not the PACS, are the slow side right now. */
  readonly stalledByUs: boolean;
  /** The slot is gone: an instance in flight breaks, an idle association gets a moment to release. */
  orphan(): void;
}

export class ReceivingSlot {
  readonly aeTitle: AeTitle;
  readonly owner: string;
  readonly #clock: () => number;
  readonly #sessions = new Set<SlotSession>();
  readonly #closed: () => void;
  #binding: StoreBinding | undefined;
  #open = true;
  #lastActivity: number;

  constructor(aeTitle: AeTitle, owner: string, clock: () => number, closed: () => void) {
    this.aeTitle = aeTitle;
    this.owner = owner;
    this.#clock = clock;
    this.#closed = closed;
    this.#lastActivity = clock();
  }

  /** Undefined until `receive`, and after `close`. */
  get binding(): StoreBinding | undefined {
    return this.#open ? this.#binding : undefined;
  }

  receive(handler: StoreHandler, accept: readonly Uid[]): void {
    if (!this.#open) throw new Error(`AE title ${this.aeTitle} was released: lease one again before receiving on it`);
    this.#binding = { owner: this.owner, handler, accept };
  }

  enter(session: SlotSession): void {
    this.#sessions.add(session);
  }

  leave(session: SlotSession): void {
    this.#sessions.delete(session);
  }

  touch(): void {
    this.#lastActivity = this.#clock();
  }

  /** Time of the last sign of life of the storing side; now, while it waits for us. */
  lastActivity(): number {
    for (const session of this.#sessions) if (session.stalledByUs) return this.#clock();
    return this.#lastActivity;
  }

  /** Idempotent. After it nothing reaches the handler. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closed();
    for (const session of this.#sessions) session.orphan();
  }
}
