/**
 * The upper-layer protocol machine as a table (PS3.8 §9.2, table 9-10): state × event → action, next state.
 * Numbers in comments are the standard's state numbers; actions keep its names so that the two can be compared line by line.
 * Sta10 and Sta12 are absent: as acceptor we never ask for the release, so no collision begins on that side.
 */

export type State =
  | 'awaiting-request' // Sta2: transport open, A-ASSOCIATE-RQ expected
  | 'deciding' // Sta3: local user answers A-ASSOCIATE
  | 'connecting' // Sta4: transport being opened
  | 'awaiting-answer' // Sta5: A-ASSOCIATE-AC or -RJ expected
  | 'established' // Sta6
  | 'releasing' // Sta7: A-RELEASE-RP expected
  | 'peer-releasing' // Sta8: local user answers A-RELEASE
  | 'collision-requestor' // Sta9
  | 'collision-answered' // Sta11: requestor side, A-RELEASE-RP expected
  | 'awaiting-close' // Sta13
  | 'closed'; // Sta1

export type PduEvent =
  | 'associate-request'
  | 'associate-accept'
  | 'associate-reject'
  | 'data'
  | 'release-request'
  | 'release-response'
  | 'abort'
  | 'invalid-pdu';

export type LocalEvent =
  | 'transport-open'
  | 'local-accept'
  | 'local-reject'
  | 'local-data'
  | 'local-release'
  | 'local-release-answer'
  | 'local-abort'
  | 'transport-closed'
  | 'artim-expired';

export type Event = PduEvent | LocalEvent;

export type Action =
  | 'AE-2' // send A-ASSOCIATE-RQ
  | 'AE-3' // confirm acceptance to the user
  | 'AE-4' // confirm rejection, close
  | 'AE-6' // stop ARTIM, ask the user
  | 'AE-7' // send A-ASSOCIATE-AC
  | 'AE-8' // send A-ASSOCIATE-RJ, start ARTIM
  | 'DT-1' // send P-DATA-TF
  | 'DT-2' // give P-DATA to the user
  | 'AR-1' // send A-RELEASE-RQ
  | 'AR-2' // ask the user about the peer's release
  | 'AR-3' // confirm release, close
  | 'AR-4' // send A-RELEASE-RP, start ARTIM
  | 'AR-8' // release collision
  | 'AR-9' // send A-RELEASE-RP (collision)
  | 'AA-1' // send A-ABORT (user), start ARTIM
  | 'AA-2' // close
  | 'AA-3' // tell the user of the peer's abort, close
  | 'AA-4' // tell the user the transport is gone
  | 'AA-5' // stop ARTIM
  | 'AA-6' // ignore
  | 'AA-8'; // send A-ABORT (provider), tell the user, start ARTIM

export interface Transition {
  readonly action: Action;
  readonly next: State;
}

type Row = Partial<Record<Event, Transition>>;
const to = (action: Action, next: State): Transition => ({ action, next });

/** What the standard writes in every cell of a column that is not special: an unexpected PDU aborts. */
const unexpected = to('AA-8', 'awaiting-close');
const anyPdu: Readonly<Record<PduEvent, Transition>> = {
  'associate-request': unexpected,
  'associate-accept': unexpected,
  'associate-reject': unexpected,
  data: unexpected,
  'release-request': unexpected,
  'release-response': unexpected,
  abort: to('AA-3', 'closed'),
  'invalid-pdu': unexpected,
};
const lost = to('AA-4', 'closed');
const giveUp = to('AA-1', 'awaiting-close');
const beforeRequest = to('AA-1', 'awaiting-close');
const ignored = to('AA-6', 'awaiting-close');

export const transitions: Readonly<Record<State, Row>> = {
  'awaiting-request': {
    'associate-request': to('AE-6', 'deciding'),
    'associate-accept': beforeRequest,
    'associate-reject': beforeRequest,
    data: beforeRequest,
    'release-request': beforeRequest,
    'release-response': beforeRequest,
    'invalid-pdu': beforeRequest,
    abort: to('AA-2', 'closed'),
    'local-abort': giveUp,
    'transport-closed': to('AA-5', 'closed'),
    'artim-expired': to('AA-2', 'closed'),
  },
  deciding: {
    ...anyPdu,
    'local-accept': to('AE-7', 'established'),
    'local-reject': to('AE-8', 'awaiting-close'),
    'local-abort': giveUp,
    'transport-closed': lost,
  },
  connecting: {
    'transport-open': to('AE-2', 'awaiting-answer'),
    'local-abort': to('AA-2', 'closed'),
    'transport-closed': lost,
  },
  'awaiting-answer': {
    ...anyPdu,
    'associate-accept': to('AE-3', 'established'),
    'associate-reject': to('AE-4', 'closed'),
    'local-abort': giveUp,
    'transport-closed': lost,
  },
  established: {
    ...anyPdu,
    data: to('DT-2', 'established'),
    'release-request': to('AR-2', 'peer-releasing'),
    'local-data': to('DT-1', 'established'),
    'local-release': to('AR-1', 'releasing'),
    'local-abort': giveUp,
    'transport-closed': lost,
  },
  releasing: {
    ...anyPdu,
    // AR-6: data that crossed our release is still the peer's right to send.
    data: to('DT-2', 'releasing'),
    'release-request': to('AR-8', 'collision-requestor'),
    'release-response': to('AR-3', 'closed'),
    'local-abort': giveUp,
    'transport-closed': lost,
  },
  'peer-releasing': {
    ...anyPdu,
    'local-data': to('DT-1', 'peer-releasing'),
    'local-release-answer': to('AR-4', 'awaiting-close'),
    'local-abort': giveUp,
    'transport-closed': lost,
  },
  'collision-requestor': {
    ...anyPdu,
    'local-release-answer': to('AR-9', 'collision-answered'),
    'local-abort': giveUp,
    'transport-closed': lost,
  },
  'collision-answered': {
    ...anyPdu,
    'release-response': to('AR-3', 'closed'),
    'local-abort': giveUp,
    'transport-closed': lost,
  },
  'awaiting-close': {
    'associate-request': ignored,
    'associate-accept': ignored,
    'associate-reject': ignored,
    data: ignored,
    'release-request': ignored,
    'release-response': ignored,
    'invalid-pdu': ignored,
    abort: to('AA-2', 'closed'),
    'local-abort': ignored,
    'transport-closed': to('AA-5', 'closed'),
    'artim-expired': to('AA-2', 'closed'),
  },
  closed: {},
};
