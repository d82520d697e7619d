/** P-DATA-TF for sending (PS3.8 §9.3.4): one PDV per PDU, payload bytes never copied. */
import { pduType } from './pdu.ts';

/** PDU header (6) and PDV header (6). */
const headerLength = 12;
/** What we send at most when the peer sets no limit (0) or a larger one. */
const ownMaximum = 262_144;

/**
 * Cuts a payload into P-DATA-TF PDUs no longer than the peer accepts.
 * @param maxPduLength the peer's announced maximum, 0 for none
 * @param last whether the payload's end is the end of the message part
 * @returns buffers to write in order, headers and slices of the payload
 */
export function dataPdus(
  contextId: number,
  isCommand: boolean,
  payload: Buffer,
  last: boolean,
  maxPduLength: number,
): Buffer[] {
  // The announced maximum counts from after the PDU header, so the PDV header (6 bytes) comes off it.
  const room = fragmentRoom(maxPduLength);
  const buffers: Buffer[] = [];
  let offset = 0;
  do {
    const end = Math.min(offset + room, payload.length);
    const atEnd = last && end === payload.length;
    buffers.push(header(contextId, isCommand, atEnd, end - offset));
    if (end > offset) buffers.push(payload.subarray(offset, end));
    offset = end;
  } while (offset < payload.length);
  return buffers;
}

/** Payload bytes that fit one PDU; even, as every fragment but the last must be (PS3.8 annex E). */
export function fragmentRoom(maxPduLength: number): number {
  const limit = maxPduLength === 0 ? ownMaximum : Math.min(maxPduLength, ownMaximum);
  return Math.max(2, (limit - 6) & ~1);
}

function header(contextId: number, isCommand: boolean, last: boolean, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(headerLength);
  bytes.writeUInt8(pduType.data, 0);
  bytes.writeUInt8(0, 1);
  bytes.writeUInt32BE(length + 6, 2);
  bytes.writeUInt32BE(length + 2, 6);
  bytes.writeUInt8(contextId, 10);
  bytes.writeUInt8((isCommand ? 1 : 0) | (last ? 2 : 0), 11);
  return bytes;
}
