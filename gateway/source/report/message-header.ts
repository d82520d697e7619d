/** MSH as the gateway keeps it, and whether this profile takes such a message (ci-sis §2.2, §2.4). */
import type { Segment } from './message.ts';
import type { MessageHeader, ReportFault } from './report.ts';

export function readMessageHeader(msh: Segment): MessageHeader {
  return {
    controlId: msh.value(10),
    sendingApplication: msh.value(3),
    sendingFacility: msh.value(4),
    receivingApplication: msh.value(5),
    receivingFacility: msh.value(6),
    type: msh.value(9, 1),
    event: msh.value(9, 2),
    version: msh.value(12),
    processingId: msh.value(11),
    characterSet: msh.value(18),
  };
}

/** Message types of the profile and their events. T11 is outside the volet: taken only as a deletion (ci-sis §2.2). */
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  ORU: ['R01'],
  MDM: ['T02', 'T04', 'T10', 'T11'],
  OMI: ['O23'],
};
const VERSIONS = ['2.5', '2.5.1', '2.6'];
const PROCESSING = ['P', 'T', 'D'];

export interface HeaderRefusal {
  readonly acknowledgement: 'AE' | 'AR';
  readonly fault: ReportFault;
}

/** The first thing that makes the message not ours to take, or undefined. AE is for a broken message, AR for one we do not support. */
export function headerRefusal(header: MessageHeader): HeaderRefusal | undefined {
  const events = EVENTS[header.type];
  if (header.type === '')
    return refusal('AE', '101', 'MSH-9', 'the message type is missing', 'send type^event^structure');
  if (header.controlId === '')
    return refusal('AE', '101', 'MSH-10', 'the message id is missing', 'give every message a unique MSH-10');
  if (events === undefined)
    return refusal('AR', '200', 'MSH-9.1', `${short(header.type)} is not taken`, 'send ORU, MDM or OMI');
  if (!events.includes(header.event))
    return refusal(
      'AR',
      '201',
      'MSH-9.2',
      `${header.type}^${short(header.event)} is not taken`,
      `use ${events.join(', ')}`,
    );
  if (!VERSIONS.includes(header.version))
    return refusal(
      'AR',
      '203',
      'MSH-12',
      `version "${short(header.version)}" is not taken`,
      `use ${VERSIONS.join(', ')}`,
    );
  if (!PROCESSING.includes(header.processingId))
    return refusal('AR', '202', 'MSH-11', `"${short(header.processingId)}" is no processing id`, 'use P, T or D');
  return undefined;
}

function refusal(
  acknowledgement: 'AE' | 'AR',
  code: string,
  field: string,
  rule: string,
  advice: string,
): HeaderRefusal {
  return { acknowledgement, fault: { code, field, rule, advice, source: 'ci-sis §2.4, §2.9' } };
}

function short(value: string): string {
  return value.slice(0, 20);
}
