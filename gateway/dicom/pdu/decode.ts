/** Bytes to PDUs (PS3.8 §9.3), every length checked against what is really there. Pure. */
import { maxPresentationContexts } from '../limits.ts';
import {
  type AssociateAccept,
  type AssociateRequest,
  type ContextAnswer,
  type ControlPdu,
  type ExtendedNegotiation,
  PduError,
  type ProposedContext,
  type UserInformation,
  abortReason,
  pduType,
} from './pdu.ts';

interface Item {
  readonly type: number;
  readonly body: Buffer;
}

/**
 * @param type first byte of the PDU
 * @param body what follows the six header bytes, complete
 * @throws PduError naming the parameter at fault
 */
export function decodePdu(type: number, body: Buffer): ControlPdu {
  switch (type) {
    case pduType.associateRequest:
      return associateRequest(body);
    case pduType.associateAccept:
      return associateAccept(body);
    case pduType.associateReject:
      return { type: 'associate-reject', result: byte(body, 1), source: byte(body, 2), reason: byte(body, 3) };
    case pduType.releaseRequest:
      return { type: 'release-request' };
    case pduType.releaseResponse:
      return { type: 'release-response' };
    case pduType.abort:
      return { type: 'abort', source: byte(body, 2), reason: byte(body, 3) };
    default:
      throw new PduError(abortReason.unrecognizedPdu, `PDU type 0x${type.toString(16)} is not one of PS3.8`);
  }
}

function associateRequest(body: Buffer): AssociateRequest {
  const { common, items } = associate(body);
  const contexts = items.filter((item) => item.type === 0x20).map((item) => proposal(item.body));
  checkContextIds(contexts.map((context) => context.id));
  return { type: 'associate-request', ...common, contexts };
}

function associateAccept(body: Buffer): AssociateAccept {
  const { common, items } = associate(body);
  const contexts = items.filter((item) => item.type === 0x21).map((item) => answer(item.body));
  checkContextIds(contexts.map((context) => context.id));
  return { type: 'associate-accept', ...common, contexts };
}

function associate(body: Buffer) {
  if (body.length < 68) throw invalid(`A-ASSOCIATE of ${body.length} bytes is shorter than its fixed fields`);
  const items = readItems(body.subarray(68));
  const common = {
    protocolVersion: body.readUInt16BE(0),
    calledAeTitle: title(body, 4),
    callingAeTitle: title(body, 20),
    applicationContext: text(items.find((item) => item.type === 0x10)?.body ?? Buffer.alloc(0)),
    user: userInformation(items.find((item) => item.type === 0x50)?.body ?? Buffer.alloc(0)),
  };
  return { common, items };
}

/** Items of an unknown type are kept and then ignored by their reader, as PS3.8 §9.3.1 asks. */
function readItems(bytes: Buffer): Item[] {
  const items: Item[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + 4 > bytes.length) throw invalid('an item header is cut');
    const length = bytes.readUInt16BE(offset + 2);
    const end = offset + 4 + length;
    if (end > bytes.length) throw invalid(`item 0x${byte(bytes, offset).toString(16)} says ${length} bytes and is cut`);
    items.push({ type: byte(bytes, offset), body: bytes.subarray(offset + 4, end) });
    offset = end;
  }
  return items;
}

function proposal(body: Buffer): ProposedContext {
  const items = readItems(body.subarray(4));
  const abstractSyntax = items.find((item) => item.type === 0x30);
  if (abstractSyntax === undefined) throw invalid('a presentation context has no abstract syntax');
  return {
    id: byte(body, 0),
    abstractSyntax: text(abstractSyntax.body),
    transferSyntaxes: items.filter((item) => item.type === 0x40).map((item) => text(item.body)),
  };
}

function answer(body: Buffer): ContextAnswer {
  const syntax = readItems(body.subarray(4)).find((item) => item.type === 0x40);
  return { id: byte(body, 0), result: byte(body, 2), transferSyntax: syntax === undefined ? '' : text(syntax.body) };
}

function userInformation(body: Buffer): UserInformation {
  const items = readItems(body);
  const find = (type: number): Buffer => items.find((item) => item.type === type)?.body ?? Buffer.alloc(0);
  const length = find(0x51);
  return {
    // Absent means no limit, as 0 does (PS3.7 §D.3.3.1).
    maxPduLength: length.length >= 4 ? length.readUInt32BE(0) : 0,
    implementationClassUid: text(find(0x52)),
    implementationVersionName: text(find(0x55)),
    extended: items.filter((item) => item.type === 0x56).map((item) => extended(item.body)),
  };
}

function extended(body: Buffer): ExtendedNegotiation {
  if (body.length < 2 || body.readUInt16BE(0) > body.length - 2) throw invalid('an extended negotiation item is cut');
  const end = 2 + body.readUInt16BE(0);
  return { sopClassUid: text(body.subarray(2, end)), information: body.subarray(end) };
}

function checkContextIds(ids: readonly number[]): void {
  if (ids.length > maxPresentationContexts)
    throw invalid(`${ids.length} presentation contexts; PS3.8 allows ${maxPresentationContexts}`);
  if (ids.some((id) => id % 2 === 0)) throw invalid('a presentation context id is even');
  if (new Set(ids).size !== ids.length) throw invalid('two presentation contexts have one id');
}

function byte(bytes: Buffer, offset: number): number {
  const value = bytes[offset];
  if (value === undefined) throw invalid(`a PDU ends before its byte ${offset}`);
  return value;
}

/** AE titles are space padded; some peers pad with NUL. */
function title(body: Buffer, offset: number): string {
  return text(body.subarray(offset, offset + 16)).trim();
}

function text(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/\0+$/, '');
}

function invalid(message: string): PduError {
  return new PduError(abortReason.invalidParameter, message);
}
