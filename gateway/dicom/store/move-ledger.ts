/**
 * Message ids of our C-MOVEs, unique across AE titles. A PACS that repeats the id in its C-STOREs (0000,1031) lets us tell
 * a late object of an earlier move from one of the move under way; few do (DB0 §4.8), so its absence says nothing.
 */
import type { ReceivingSlot } from './slot.ts';

/** Low ids are what PACS that fill in a constant use: never ours. */
const first = 0x1000;
const last = 0xffff;
/** Moves remembered. An id older than this is treated as unknown. */
const remembered = 512;

export class MoveLedger {
  readonly #owners = new Map<number, ReceivingSlot>();
  #next = first;

  newMessageId(slot: ReceivingSlot): number {
    const id = this.#next;
    this.#next = id === last ? first : id + 1;
    this.#owners.set(id, slot);
    const [oldest] = this.#owners.keys();
    if (this.#owners.size > remembered && oldest !== undefined) this.#owners.delete(oldest);
    return id;
  }

  belongsToAnother(messageId: number, slot: ReceivingSlot | undefined): boolean {
    const owner = this.#owners.get(messageId);
    return owner !== undefined && owner !== slot;
  }
}
