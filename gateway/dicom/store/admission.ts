/** May this association store to us, and in what? Pure: the receiver gathers the facts, this decides (PS3.8 §9.3.4). */
import type { AssociateAccept, AssociateReject, AssociateRequest } from '../pdu/pdu.ts';
import { maxDataPduLength } from '../limits.ts';
import { applicationContext, implementationClassUid, implementationVersionName, verification } from '../uids.ts';
import { negotiate } from './negotiation.ts';
import type { ReceivingSlot, StoreBinding } from './slot.ts';

export interface Admission {
  readonly answer: AssociateAccept | AssociateReject;
  /** Why it is rejected; empty otherwise. */
  readonly detail: string;
  readonly binding: StoreBinding | undefined;
  readonly slot: ReceivingSlot | undefined;
}

export interface Facts {
  /** Is the called AE title one of this gateway, leased or not? */
  readonly known: boolean;
  readonly slot: ReceivingSlot | undefined;
  /** Of the slot, or of a receiver that needs no lease (IOCM). */
  readonly binding: StoreBinding | undefined;
  readonly overLimit: boolean;
}

export function admit(request: AssociateRequest, facts: Facts): Admission {
  const refusal = refuse(request, facts);
  if (refusal !== undefined) return { ...refusal, binding: undefined, slot: undefined };
  const { protocolVersion, calledAeTitle, callingAeTitle } = request;
  const answer: AssociateAccept = {
    type: 'associate-accept',
    protocolVersion: protocolVersion & 1,
    calledAeTitle,
    callingAeTitle,
    applicationContext,
    contexts: negotiate(request.contexts, facts.binding?.accept),
    // No extended negotiation, no asynchronous window: one operation at a time (PS3.7 §D.3.3.3).
    user: { maxPduLength: maxDataPduLength, implementationClassUid, implementationVersionName, extended: [] },
  };
  return { answer, detail: '', binding: facts.binding, slot: facts.slot };
}

function refuse(request: AssociateRequest, facts: Facts): Pick<Admission, 'answer' | 'detail'> | undefined {
  if ((request.protocolVersion & 1) === 0) return reject(1, 2, 2, 'protocol version 1 is not offered');
  if (request.applicationContext !== applicationContext) return reject(1, 1, 2, 'application context is not DICOM');
  if (facts.overLimit) return reject(2, 3, 2, 'too many associations at once');
  if (facts.binding !== undefined) return undefined;
  if (!facts.known) return reject(1, 1, 7, 'called AE title is not one of ours');
  // A PACS administrator's C-ECHO is answered at any time; storing needs a C-MOVE of ours under way.
  const onlyEcho = request.contexts.every((context) => context.abstractSyntax === verification);
  return onlyEcho ? undefined : reject(2, 1, 1, 'no C-MOVE to this AE title is under way');
}

function reject(result: number, source: number, reason: number, detail: string): Pick<Admission, 'answer' | 'detail'> {
  return { answer: { type: 'associate-reject', result, source, reason }, detail };
}
