/** The acknowledgement of a message (ci-sis §2.9): MSH swapped, MSA, and one ERR per fault when refused. */
import { characterSetNamed, encodeText } from './charset.ts';
import { type Delimiters, encodeEscapes } from './escapes.ts';
import type { MessageHeader, ReportFault } from './report.ts';

export type Verdict = { readonly code: 'AA' } | { readonly code: 'AE' | 'AR'; readonly faults: readonly ReportFault[] };

export interface AcknowledgementIdentity {
  readonly now: Date;
  /** Unique MSH-10 of the acknowledgement, at most 20 characters. */
  readonly controlId: string;
}

const DELIMITERS: Delimiters = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };
/** MSA-2 is required (HL7 v2.5 §2.15.8): what we answer when the message had no id to repeat. */
const NO_CONTROL_ID = 'UNKNOWN';
const VERSIONS = ['2.5', '2.5.1', '2.6'];

/** Stands for the header of a message that had none we could read. */
const UNREAD: MessageHeader = {
  controlId: '',
  sendingApplication: '',
  sendingFacility: '',
  receivingApplication: 'DRIMBOX',
  receivingFacility: '',
  type: '',
  event: '',
  version: '2.5',
  processingId: 'P',
  characterSet: '',
};

const CONDITIONS: Readonly<Record<string, string>> = {
  '100': 'Segment sequence error',
  '101': 'Required field missing',
  '102': 'Data type error',
  '103': 'Table value not found',
  '198': 'Non-conformant cardinality',
  '199': 'Other HL7 error',
  '200': 'Unsupported message type',
  '201': 'Unsupported event code',
  '202': 'Unsupported processing id',
  '203': 'Unsupported version id',
  '207': 'Application internal error',
};

/** @returns the acknowledgement without MLLP framing, in the request's character set. */
export function acknowledge(
  request: MessageHeader | undefined,
  verdict: Verdict,
  identity: AcknowledgementIdentity,
): Buffer {
  const faults = verdict.code === 'AA' ? [] : verdict.faults;
  const segments = [header(request, identity), acceptance(request, verdict), ...faults.map(error)];
  return encodeText(`${segments.join('\r')}\r`, characterSetNamed(request?.characterSet ?? ''));
}

function header(request: MessageHeader | undefined, identity: AcknowledgementIdentity): string {
  const asked = request ?? UNREAD;
  const fields = [
    text(asked.receivingApplication),
    text(asked.receivingFacility),
    text(asked.sendingApplication),
    text(asked.sendingFacility),
    timestamp(identity.now),
    '',
    asked.event === '' ? 'ACK' : `ACK^${text(asked.event)}^ACK`,
    text(identity.controlId),
    ['P', 'T', 'D'].includes(asked.processingId) ? asked.processingId : 'P',
    VERSIONS.includes(asked.version) ? asked.version : '2.5',
    '|||',
    'FRA',
    characterSetNamed(asked.characterSet) === undefined ? '' : text(asked.characterSet),
  ];
  return `MSH|^~\\&|${fields.join('|')}`;
}

function acceptance(request: MessageHeader | undefined, verdict: Verdict): string {
  const id = request?.controlId ?? '';
  return `MSA|${verdict.code}|${text(id === '' ? NO_CONTROL_ID : id)}`;
}

/** ERR-2 location, ERR-3 condition, ERR-4 severity, ERR-8 what the sender can act on. */
function error(fault: ReportFault): string {
  const condition = CONDITIONS[fault.code] ?? 'Other HL7 error';
  const message = text(`${fault.field}: ${fault.rule}; ${fault.advice} (${fault.source})`.slice(0, 240));
  return `ERR||${location(fault.field)}|${text(fault.code)}^${condition}^messageErrorCondition|E||||${message}`;
}

/** `OBX-5.5` → ERL `OBX^1^5^1^5`. */
function location(field: string): string {
  const match = /^([A-Z][A-Z0-9]{2})(?:-(\d+)(?:\.(\d+))?)?$/.exec(field);
  if (match === null) return '';
  const [, segment, position, component] = match;
  if (position === undefined) return `${segment}^1`;
  return component === undefined ? `${segment}^1^${position}` : `${segment}^1^${position}^1^${component}`;
}

function text(value: string): string {
  return encodeEscapes(value, DELIMITERS);
}

function timestamp(now: Date): string {
  return `${now.toISOString().replace(/[-:T]/g, '').slice(0, 14)}+0000`;
}
