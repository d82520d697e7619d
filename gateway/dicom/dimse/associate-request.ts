/** Our A-ASSOCIATE-RQ. */
import { maxDataPduLength } from '../limits.ts';
import type { AssociateRequest, ProposedContext } from '../pdu/pdu.ts';
import { applicationContext, implementationClassUid, implementationVersionName } from '../uids.ts';
import type { RequestorOptions } from './requestor.ts';

export function associateRequest(
  options: Pick<RequestorOptions, 'callingAeTitle' | 'calledAeTitle' | 'extended'>,
  contexts: readonly ProposedContext[],
): AssociateRequest {
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
