/** Bytes from the RIS (or PACS) → what they mean (ci-sis §2, §3). Pure: the same bytes always read the same. */
import { type ActionDecision, decideAction } from './action.ts';
import { type CdaHeader, readCdaHeader } from './cda-header.ts';
import { CdaUnreadable } from './cda-xml.ts';
import { assembleReport, practiceOf, warningsOf } from './assemble.ts';
import { readExamChange } from './exam-change.ts';
import {
  type DocumentObservation,
  decodeBase64,
  documentObservations,
  readMessagePatient,
  segment,
} from './message-content.ts';
import { headerRefusal, readMessageHeader } from './message-header.ts';
import { type Hl7Message, parseMessage } from './message.ts';
import type { MessageHeader, ReportFault, ReportReading } from './report.ts';
import { missingData } from './required.ts';

export interface ReadLimits {
  /** Largest decoded CDA, bytes. */
  readonly maxDocumentBytes: number;
}

type Refused = Extract<ReportReading, { kind: 'refused' }>;

/**
 * @param bytes one message without MLLP framing.
 * @returns never throws on content: what can't be taken is `refused` (AE or AR), what misses a datum of Table 1 is `incomplete`.
 */
export function readReport(bytes: Buffer, limits: ReadLimits): ReportReading {
  const parsed = parseMessage(bytes);
  if (parsed.kind === 'unreadable') {
    const header = parsed.header === undefined ? undefined : readMessageHeader(parsed.header);
    return refuse(header, header === undefined ? 'AR' : 'AE', parsed.fault);
  }
  const { message } = parsed;
  const header = readMessageHeader(message.header);
  const refusal = headerRefusal(header);
  if (refusal !== undefined) return refuse(header, refusal.acknowledgement, refusal.fault);
  if (header.type === 'OMI') return readExamChange(message, header);
  return readDocumentMessage(message, header, limits);
}

function readDocumentMessage(message: Hl7Message, header: MessageHeader, limits: ReadLimits): ReportReading {
  const observations = documentObservations(message);
  if (segment(message, 'PID') === undefined) return refuse(header, 'AE', noPatient);
  if (observations.length === 0) return refuse(header, 'AE', noDocument);
  const documents: CdaHeader[] = [];
  for (const observation of observations) {
    const read = readDocument(observation, limits);
    if ('code' in read) return refuse(header, read.code === '207' ? 'AR' : 'AE', read);
    documents.push(read);
  }
  // Two documents of one ORU describe the same exam; the structured one is read (ci-sis §2.3).
  const cda = documents.find(({ level }) => level === 'N3') ?? documents[0];
  if (cda === undefined) return refuse(header, 'AE', noDocument);
  const action = actionOf(message, header, observations, cda);
  if (header.event === 'T11' && action.action !== 'deletion') return refuse(header, 'AR', cancelWithoutDeletion);
  const others = documents.filter((one) => one !== cda);
  const patient = readMessagePatient(message);
  const evidence = { cda, patient, practice: practiceOf(cda, message) };
  const faults = missingData(evidence);
  const { report, partial } = assembleReport({ ...evidence, message, header, others, action: action.action });
  if (faults.length > 0 || report === undefined) return { kind: 'incomplete', message: header, faults, partial };
  return { kind: 'understood', report, warnings: warningsOf(evidence, message) };
}

function actionOf(
  message: Hl7Message,
  header: MessageHeader,
  observations: readonly DocumentObservation[],
  cda: CdaHeader,
): ActionDecision {
  return decideAction({
    event: header.event,
    orderControl: segment(message, 'ORC')?.value(1).toUpperCase() ?? '',
    statuses: observations.map(({ status }) => status),
    replaces: cda.replaces !== undefined,
    version: cda.version,
  });
}

function readDocument(observation: DocumentObservation, limits: ReadLimits): CdaHeader | ReportFault {
  const bytes = decodeBase64(observation.base64);
  if (bytes === undefined) return fault('102', 'OBX-5.5', 'the document is not base64', 'send the CDA in base64');
  if (bytes.length > limits.maxDocumentBytes)
    return fault(
      '207',
      'OBX-5.5',
      `a document has at most ${limits.maxDocumentBytes} bytes here`,
      'send a smaller one',
    );
  try {
    return readCdaHeader(bytes);
  } catch (error) {
    if (error instanceof CdaUnreadable)
      return fault('102', 'OBX-5.5', `the document is not a CDA: ${error.message}`, 'send a well-formed CDA R2');
    throw error;
  }
}

function refuse(message: MessageHeader | undefined, acknowledgement: 'AE' | 'AR', why: ReportFault): Refused {
  return { kind: 'refused', acknowledgement, message, faults: [why] };
}

function fault(code: string, field: string, rule: string, advice: string): ReportFault {
  return { code, field, rule, advice, source: 'ci-sis §2.4, §2.9' };
}

const noPatient = fault('101', 'PID', 'the patient segment is missing', 'send PID with the INS and the IPP in PID-3');
const noDocument = fault(
  '101',
  'OBX-5',
  'no OBX carries an XML document',
  'send the CDA in an OBX: OBX-2 ED, OBX-5.3 XML',
);
const cancelWithoutDeletion = fault('201', 'MSH-9.2', 'T11 is taken only as a deletion', 'use T04, or OBX-11 = D');
