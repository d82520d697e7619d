/** PDUs to bytes (PS3.8 §9.3). Pure. */
import { type AssociateAccept, type AssociateRequest, type ControlPdu, type UserInformation, pduType } from './pdu.ts';

/** @returns the whole PDU, header included. */
export function encodePdu(pdu: ControlPdu): Buffer {
  switch (pdu.type) {
    case 'associate-request':
      return frame(pduType.associateRequest, associate(pdu, pdu.contexts.map(proposal)));
    case 'associate-accept':
      return frame(pduType.associateAccept, associate(pdu, pdu.contexts.map(answer)));
    case 'associate-reject':
      return frame(pduType.associateReject, Buffer.from([0, pdu.result, pdu.source, pdu.reason]));
    case 'release-request':
      return frame(pduType.releaseRequest, Buffer.alloc(4));
    case 'release-response':
      return frame(pduType.releaseResponse, Buffer.alloc(4));
    case 'abort':
    default:
      return frame(pduType.abort, Buffer.from([0, 0, pdu.source, pdu.reason]));
  }
}

function frame(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt8(type, 0);
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function associate(pdu: AssociateRequest | AssociateAccept, contexts: readonly Buffer[]): Buffer {
  const fixed = Buffer.alloc(68);
  fixed.writeUInt16BE(pdu.protocolVersion, 0);
  fixed.write(pdu.calledAeTitle.padEnd(16), 4, 16, 'latin1');
  fixed.write(pdu.callingAeTitle.padEnd(16), 20, 16, 'latin1');
  return Buffer.concat([fixed, item(0x10, text(pdu.applicationContext)), ...contexts, userInformation(pdu.user)]);
}

function proposal(context: AssociateRequest['contexts'][number]): Buffer {
  return item(
    0x20,
    Buffer.from([context.id, 0, 0, 0]),
    item(0x30, text(context.abstractSyntax)),
    ...context.transferSyntaxes.map((syntax) => item(0x40, text(syntax))),
  );
}

function answer(context: AssociateAccept['contexts'][number]): Buffer {
  return item(0x21, Buffer.from([context.id, 0, context.result, 0]), item(0x40, text(context.transferSyntax)));
}

function userInformation(user: UserInformation): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(user.maxPduLength);
  return item(
    0x50,
    item(0x51, length),
    item(0x52, text(user.implementationClassUid)),
    ...user.extended.map(({ sopClassUid, information }) => {
      const uidLength = Buffer.alloc(2);
      uidLength.writeUInt16BE(sopClassUid.length);
      return item(0x56, uidLength, text(sopClassUid), information);
    }),
    item(0x55, text(user.implementationVersionName)),
  );
}

function item(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}
