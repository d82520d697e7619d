/**
 * MLLP framing (HL7 v2.5 implementation guide, appendix C): 0x0B message 0x1C 0x0D, as a state machine over bytes.
 * Harmless slips are read: no start byte, blank bytes between frames, no CR before the next start byte.
 * A start byte inside a frame means that its sender began again: what came before was never acknowledged and is dropped.
 */
export const START = 0x0b;
export const END = 0x1c;
export const RETURN = 0x0d;

type State = 'between' | 'inside' | 'ending';
type Kind = 'start' | 'end' | 'return' | 'blank' | 'data';
type Action = 'skip' | 'open' | 'keep' | 'restart' | 'hold' | 'deliver' | 'deliverAndOpen' | 'release' | 'keepEnd';

/** `hold` sets a 0x1C aside until the next byte says whether it ended the frame; `release` gives it back as data. */
const TABLE: Readonly<Record<State, Readonly<Record<Kind, readonly [Action, State]>>>> = {
  between: {
    start: ['open', 'inside'],
    end: ['skip', 'between'],
    return: ['skip', 'between'],
    blank: ['skip', 'between'],
    data: ['keep', 'inside'],
  },
  inside: {
    start: ['restart', 'inside'],
    end: ['hold', 'ending'],
    return: ['keep', 'inside'],
    blank: ['keep', 'inside'],
    data: ['keep', 'inside'],
  },
  ending: {
    start: ['deliverAndOpen', 'inside'],
    end: ['keepEnd', 'ending'],
    return: ['deliver', 'between'],
    blank: ['release', 'inside'],
    data: ['release', 'inside'],
  },
};

/** One per connection; fed with chunks as they come, whatever their borders. */
export class MllpFrames {
  readonly #limit: number;
  #state: State = 'between';
  /** Grows by doubling: a message that comes byte by byte costs no more than one that comes whole. */
  #kept = Buffer.alloc(0);
  #length = 0;

  /** @param limit bytes of one message; beyond it `overflowed` is true and no more is kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get insideFrame(): boolean {
    return this.#state !== 'between';
  }

  get overflowed(): boolean {
    return this.#length > this.#limit;
  }

  /** Start of the frame being read, to say which message was too long. */
  beginning(): Buffer {
    return Buffer.from(this.#kept.subarray(0, Math.min(this.#length, 4096)));
  }

  /** @returns messages completed by this chunk, without framing. Stops at the first overflow. */
  push(chunk: Buffer): Buffer[] {
    const complete: Buffer[] = [];
    let at = 0;
    while (at < chunk.length && !this.overflowed) {
      const [action, next] = TABLE[this.#state][kindOf(chunk[at] ?? 0)];
      const end = action === 'keep' ? endOfData(chunk, at + 1) : at + 1;
      this.#apply(action, chunk.subarray(at, end), complete);
      this.#state = next;
      at = end;
    }
    return complete;
  }

  #apply(action: Action, bytes: Buffer, complete: Buffer[]): void {
    if (action === 'deliver' || action === 'deliverAndOpen') complete.push(this.#kept.subarray(0, this.#length));
    if (action === 'open' || action === 'restart' || action === 'deliver' || action === 'deliverAndOpen') {
      this.#kept = Buffer.alloc(0); // what was delivered belongs to its reader now
      this.#length = 0;
    }
    if (action === 'release' || action === 'keepEnd') this.#keep(Buffer.of(END));
    if (action === 'keep' || action === 'release') this.#keep(bytes);
  }

  #keep(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#kept.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#kept.length, 1024));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#length);
    this.#length = length;
  }
}

function kindOf(byte: number): Kind {
  if (byte === START) return 'start';
  if (byte === END) return 'end';
  if (byte === RETURN) return 'return';
  return byte === 0x0a || byte === 0x00 || byte === 0x20 || byte === 0x09 ? 'blank' : 'data';
}

/** Data runs to the next control byte: a native search, so a large field costs one pass. */
function endOfData(chunk: Buffer, from: number): number {
  const ends = [chunk.indexOf(END, from), chunk.indexOf(START, from)].filter((found) => found >= 0);
  return Math.min(chunk.length, ...ends);
}

/** @returns the message framed for the wire. */
export function frame(message: Buffer): Buffer {
  return Buffer.concat([Buffer.of(START), message, Buffer.of(END, RETURN)]);
}
