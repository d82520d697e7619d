/**
 * Cuts a byte stream into PDUs as it arrives. P-DATA-TF is never gathered: its pieces leave as slices of the chunk they
 * came in, so an announced length costs nothing, and a peer that sends byte by byte costs linear time.
 */
import { decodePdu } from './decode.ts';
import { type ControlPdu, PduError, abortReason, pduType } from './pdu.ts';

/** A piece of a presentation data value (PS3.8 §9.3.5.1). */
export interface Fragment {
  readonly contextId: number;
  readonly isCommand: boolean;
  /** The message part (command or data set) ends with this piece. */
  readonly last: boolean;
  /** May be empty when `last`. */
  readonly bytes: Buffer;
}

export interface PduSink {
  control(pdu: ControlPdu): void;
  fragment(fragment: Fragment): void;
  /** A P-DATA-TF begins: the place to refuse it when no association stands. */
  dataBegins(): void;
}

interface Limits {
  readonly maxDataPduLength: number;
  readonly maxControlPduLength: number;
}

type Expecting = 'pdu-header' | 'control' | 'pdv-header' | 'pdv';

export class PduReader {
  readonly #limits: Limits;
  readonly #sink: PduSink;
  #expecting: Expecting = 'pdu-header';
  readonly #header = Buffer.alloc(6);
  #headerFilled = 0;
  #type = 0;
  /** Bytes of the current PDU not read yet. */
  #pduLeft = 0;
  #gathered: Buffer[] = [];
  /** Bytes of the current PDV not read yet, its context id and control byte. */
  #pdvLeft = 0;
  #contextId = 0;
  #control = 0;

  constructor(limits: Limits, sink: PduSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /** True between PDUs: the place where a stream may stop without loss. */
  get atBoundary(): boolean {
    return this.#expecting === 'pdu-header' && this.#headerFilled === 0;
  }

  /** @throws PduError on the first byte that breaks PS3.8; the reader is of no use after. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) offset = this.#step(chunk, offset);
  }

  #step(chunk: Buffer, offset: number): number {
    switch (this.#expecting) {
      case 'pdu-header':
        return this.#fillHeader(chunk, offset, () => this.#beginPdu());
      case 'pdv-header':
        return this.#fillHeader(chunk, offset, () => this.#beginPdv());
      case 'control':
        return this.#gather(chunk, offset);
      case 'pdv':
      default:
        return this.#pass(chunk, offset);
    }
  }

  #fillHeader(chunk: Buffer, offset: number, filled: () => void): number {
    const taken = chunk.copy(this.#header, this.#headerFilled, offset, offset + 6 - this.#headerFilled);
    this.#headerFilled += taken;
    // The type is judged on the first byte: HTTP or TLS bytes must not make us wait for "their" length.
    if (this.#expecting === 'pdu-header') this.#checkType(this.#header.readUInt8(0));
    if (this.#headerFilled === 6) {
      this.#headerFilled = 0;
      filled();
    }
    return offset + taken;
  }

  #checkType(type: number): void {
    if (type < pduType.associateRequest || type > pduType.abort)
      throw new PduError(abortReason.unrecognizedPdu, `PDU type 0x${type.toString(16)} is not one of PS3.8`);
  }

  #beginPdu(): void {
    this.#type = this.#header.readUInt8(0);
    this.#pduLeft = this.#header.readUInt32BE(2);
    const isData = this.#type === pduType.data;
    const limit = isData ? this.#limits.maxDataPduLength : this.#limits.maxControlPduLength;
    if (this.#pduLeft > limit)
      throw new PduError(abortReason.invalidParameter, `a PDU announces ${this.#pduLeft} bytes; the limit is ${limit}`);
    if (isData) this.#sink.dataBegins();
    this.#gathered = [];
    this.#expecting = isData ? 'pdv-header' : 'control';
    if (this.#pduLeft === 0)
      throw new PduError(abortReason.invalidParameter, `a PDU of type ${this.#type} has no content`);
  }

  #gather(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#pduLeft);
    this.#gathered.push(chunk.subarray(offset, end));
    this.#pduLeft -= end - offset;
    if (this.#pduLeft === 0) {
      const body = Buffer.concat(this.#gathered);
      this.#gathered = [];
      this.#expecting = 'pdu-header';
      this.#sink.control(decodePdu(this.#type, body));
    }
    return end;
  }

  #beginPdv(): void {
    const length = this.#header.readUInt32BE(0);
    if (length < 2 || length + 4 > this.#pduLeft)
      throw new PduError(abortReason.invalidParameter, `a PDV says ${length} bytes in a PDU that has ${this.#pduLeft}`);
    this.#contextId = this.#header.readUInt8(4);
    this.#control = this.#header.readUInt8(5);
    this.#pdvLeft = length - 2;
    this.#pduLeft -= length + 4;
    this.#expecting = 'pdv';
    // A PDV without bytes still says whether it is the last.
    if (this.#pdvLeft === 0) this.#emit(Buffer.alloc(0));
  }

  #pass(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#pdvLeft);
    this.#pdvLeft -= end - offset;
    this.#emit(chunk.subarray(offset, end));
    return end;
  }

  #emit(bytes: Buffer): void {
    const ended = this.#pdvLeft === 0;
    if (ended) this.#expecting = this.#pduLeft === 0 ? 'pdu-header' : 'pdv-header';
    if (ended && this.#pduLeft > 0 && this.#pduLeft < 6)
      throw new PduError(abortReason.invalidParameter, `${this.#pduLeft} bytes follow the last PDV of a PDU`);
    this.#sink.fragment({
      contextId: this.#contextId,
      isCommand: (this.#control & 1) === 1,
      last: ended && (this.#control & 2) === 2,
      bytes,
    });
  }
}
