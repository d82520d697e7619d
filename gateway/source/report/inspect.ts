/** What the gateway would make of a message, for the people of the RIS and of the site: nothing is sent or stored. */
import { decideAction } from './action.ts';
import { documentObservations, segment } from './message-content.ts';
import { parseMessage } from './message.ts';
import { MllpFrames } from './mllp-frames.ts';
import { type ReadLimits, readReport } from './read-report.ts';
import type { MessageHeader, ReportFault, ReportReading, ReportReceived } from './report.ts';

export interface Inspection {
  readonly kind: ReportReading['kind'];
  readonly acknowledgement: 'AA' | 'AE' | 'AR';
  readonly message: MessageHeader | undefined;
  /** What the gateway would do, and why. */
  readonly decision: { readonly what: string; readonly why: string };
  /** As far as it could be read. */
  readonly report: Partial<ReportReceived>;
  /** Studies of an OMI^O23. */
  readonly changedStudies: readonly string[];
  readonly faults: readonly ReportFault[];
  readonly warnings: readonly ReportFault[];
}

/** @param bytes a message, with or without MLLP framing; only the first one of a file is read. */
export function inspectReport(bytes: Buffer, limits: ReadLimits): Inspection {
  const message = unframed(bytes);
  const reading = readReport(message, limits);
  const report = reading.kind === 'understood' ? reading.report : reading.kind === 'incomplete' ? reading.partial : {};
  return {
    kind: reading.kind,
    acknowledgement: reading.kind === 'refused' ? reading.acknowledgement : 'AA',
    message: reading.kind === 'understood' ? reading.report.message : reading.message,
    decision: decide(reading, message),
    report,
    changedStudies: reading.kind === 'examChange' ? [reading.studyInstanceUid, ...reading.otherStudyInstanceUids] : [],
    faults: reading.kind === 'incomplete' || reading.kind === 'refused' ? reading.faults : [],
    warnings: reading.kind === 'understood' ? reading.warnings : [],
  };
}

/** A file may hold the frame as captured, or end without its last byte. */
function unframed(bytes: Buffer): Buffer {
  const frames = new MllpFrames(Number.MAX_SAFE_INTEGER);
  const [first] = frames.push(bytes);
  if (first !== undefined) return first;
  return bytes[0] === 0x0b ? bytes.subarray(1) : bytes;
}

function decide(reading: ReportReading, message: Buffer): Inspection['decision'] {
  if (reading.kind === 'understood') return decideReport(reading.report, message);
  return {
    refused: { what: 'refuse it, keep nothing', why: 'the message can not be taken' },
    incomplete: { what: 'no KOS, E005 to the administrator', why: 'data that a KOS needs are missing or wrong' },
    examChange: { what: 'ask the PACS again, then replace, delete or leave the KOS', why: 'OMI^O23 names the study' },
  }[reading.kind];
}

function decideReport(report: ReportReceived, bytes: Buffer): Inspection['decision'] {
  if (report.publishToDmp === undefined) return { what: 'nothing published, an alert', why: 'DESTDMP is missing' };
  if (!report.publishToDmp) return { what: 'nothing published', why: 'DESTDMP is N' };
  if (!report.insQualified) return { what: 'nothing published', why: 'the INS is not qualified (PID-32 is not VALI)' };
  const { why } = actionSigns(report, bytes);
  const what = {
    initial: 'publish one KOS per study',
    replacement: 'replace the KOS of each study, publish what is new',
    deletion: 'unpublish the KOS of studies no other report holds',
  }[report.action];
  return { what: report.visibilityChange ? `${what}; visibility changes` : what, why };
}

function actionSigns(report: ReportReceived, bytes: Buffer): { readonly why: string } {
  const parsed = parseMessage(bytes);
  if (parsed.kind !== 'message') return { why: parsed.fault.rule };
  return decideAction({
    event: report.message.event,
    orderControl: segment(parsed.message, 'ORC')?.value(1).toUpperCase() ?? '',
    statuses: documentObservations(parsed.message).map(({ status }) => status),
    replaces: report.document.replaces !== undefined,
    version: report.document.version,
  });
}
