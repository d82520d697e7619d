/** What an association tells the layer above, and asks of it. */
import type { Fragment } from '../pdu/pdu-reader.ts';
import type { AssociateAccept, AssociateReject, AssociateRequest } from '../pdu/pdu.ts';

export type AssociationEnd =
  | { readonly kind: 'released' }
  | { readonly kind: 'rejected'; readonly result: number; readonly source: number; readonly reason: number }
  /** A-ABORT from the peer. */
  | { readonly kind: 'aborted'; readonly source: number; readonly reason: number }
  /** The connection broke or never stood. */
  | { readonly kind: 'lost'; readonly detail: string }
  /** The peer broke the protocol; we aborted. */
  | { readonly kind: 'fault'; readonly detail: string }
  /** The peer said nothing for too long; we aborted. */
  | { readonly kind: 'silent'; readonly afterMs: number }
  /** We had no more use for it; we aborted. */
  | { readonly kind: 'given-up'; readonly detail: string };

export interface AssociationUser {
  /** Acceptor only. */
  decide(request: AssociateRequest): AssociateAccept | AssociateReject;
  established(accept: AssociateAccept): void;
  /** @throws Error when the message layer is violated: the association is aborted, nothing else. */
  fragment(fragment: Fragment): void;
  /** Is it our turn, so that the peer's silence is no fault? */
  owes(): boolean;
  /** Exactly once, whatever happens. */
  ended(end: AssociationEnd): void;
}

/** One sentence for logs and errors. */
export function describeEnd(end: AssociationEnd): string {
  switch (end.kind) {
    case 'released':
      return 'the association was released';
    case 'rejected':
      return `the association was rejected (result ${end.result}, source ${end.source}, reason ${end.reason}: ${rejection(end)})`;
    case 'aborted':
      return `the peer aborted the association (source ${end.source}, reason ${end.reason})`;
    case 'fault':
      return `the peer broke the protocol: ${end.detail}`;
    case 'silent':
      return `the peer was silent for ${end.afterMs} ms`;
    case 'lost':
    case 'given-up':
    default:
      return end.detail;
  }
}

/** What whoever set up the node can do something about, by the system's code. */
const socketErrors: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name of the host is not known to the DNS',
  EAI_AGAIN: 'the name of the host could not be looked up: it is unknown, or the DNS does not answer',
  ECONNREFUSED: 'nothing listens at that host and port',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'the host does not answer',
  ECONNRESET: 'the connection was cut by the peer, or by a firewall between',
};

export function describeSocketError(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  return `${socketErrors[code] ?? 'the connection was lost'} (${error.message})`;
}

/** PS3.8 table 9-21. */
function rejection(end: { readonly source: number; readonly reason: number }): string {
  const reasons: Readonly<Record<string, string>> = {
    '1.2': 'application context not supported',
    '1.3': 'calling AE title not recognised',
    '1.7': 'called AE title not recognised',
    '2.2': 'protocol version not supported',
    '3.1': 'temporary congestion',
    '3.2': 'local limit exceeded',
  };
  return reasons[`${end.source}.${end.reason}`] ?? 'no reason given';
}
