/** Our A-ASSOCIATE-RQ. */
import { maxDataPduLength } from '../limits.ts';
import type { AssociateRequest, ExtendedNegotiation, ProposedContext } from '../pdu/pdu.ts';
import { applicationContext, implementationClassUid, implementationVersionName } from '../uids.ts';

export interface AssociateOptions {
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly extended?: readonly ExtendedNegotiation[];
}

export function associateRequest(options: AssociateOptions, contexts: readonly ProposedContext[]): AssociateRequest {
  return {
    type: 'associate-request',
    protocolVersion: 1,
    calledAeTitle: options.calledAeTitle,
    callingAeTitle: options.callingAeTitle,
    applicationContext,
    contexts,
    user: {
      maxPduLength: maxDataPduLength,
      implementationClassUid,
      implementationVersionName,
      extended: options.extended ?? [],
    },
  };
}
