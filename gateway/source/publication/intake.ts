/**
 * From MLLP bytes to durable work (architecture §3): read, keep, acknowledge; the desk plans what is kept. The ACK means
 * responsibility taken: it leaves only when the message is on disk. What a crash leaves after it is taken up from there.
 */
import type { RisConfig } from '../../../common/contract/gateway-config.ts';
import type { Journal } from '../../journal/events.ts';
import type { Archive } from '../archive/archive.ts';
import { ArchiveUnavailable } from '../archive/unavailable.ts';
import { acknowledge } from '../report/acknowledge.ts';
import { readReport } from '../report/read-report.ts';
import type { MessageHeader, ReportFault, ReportReading } from '../report/report.ts';
import { arrow } from './arrows.ts';

export interface Intake {
  /** One message without framing → its acknowledgement without framing. */
  accept(bytes: Buffer, remote: string): Promise<Buffer>;
}

export interface IntakeDependencies {
  readonly archive: Archive;
  /** A message was kept. */
  readonly kept: () => void;
  readonly journal: Journal;
  readonly ris: () => readonly RisConfig[];
  readonly maxDocumentBytes: number;
  readonly now: () => Date;
  readonly newControlId: () => string;
}

/** MSH-3, and MSH-4 when the RIS is configured with it (DB.SO.04). */
export function risOf(header: MessageHeader, configured: readonly RisConfig[]): RisConfig | undefined {
  const named = configured.filter((ris) => ris.sendingApplication === header.sendingApplication);
  return (
    named.find((ris) => ris.sendingFacility === header.sendingFacility) ??
    named.find((ris) => ris.sendingFacility === undefined)
  );
}

function unknownRis(header: MessageHeader): ReportFault {
  return {
    code: '103',
    field: 'MSH-3',
    rule: `sending application '${header.sendingApplication}' (facility '${header.sendingFacility}') is not a RIS of this site`,
    advice: 'declare it under ris[] of the DrimboxSite, or correct MSH-3 and MSH-4 in the RIS',
    source: 'DB.SO.04',
  };
}

/** Nothing was kept, or nobody can say so: never AA. Sent again, the same bytes are the same message. */
const archiveAway: ReportFault = {
  code: '207',
  field: 'MSH',
  rule: 'the message could not be stored: the archive does not answer',
  advice: 'send it again in a moment; tell the administrator of the DRIMbox if it goes on',
  source: 'ci-sis §2.9',
};

export function createIntake(deps: IntakeDependencies): Intake {
  const { archive, journal } = deps;
  const answer = (header: MessageHeader | undefined, verdict: Parameters<typeof acknowledge>[1]): Buffer =>
    acknowledge(header, verdict, { now: deps.now(), controlId: deps.newControlId() });

  const refuse = (
    header: MessageHeader | undefined,
    code: 'AE' | 'AR',
    faults: readonly ReportFault[],
    remote: string,
  ): Buffer => {
    for (const { field, rule } of faults) {
      journal.record({
        name: 'MessageRefused',
        controlId: header?.controlId ?? '',
        remote,
        acknowledgement: code,
        field,
        rule,
      });
    }
    return answer(header, { code, faults });
  };

  return {
    async accept(bytes, remote) {
      const reading = readReport(bytes, { maxDocumentBytes: deps.maxDocumentBytes });
      if (reading.kind === 'refused') return refuse(reading.message, reading.acknowledgement, reading.faults, remote);
      const header = headerOf(reading);
      const ris = risOf(header, deps.ris());
      // an exam change comes from a PACS, not from a RIS: any sender of the internal network may say it (ci-sis §2.8)
      if (ris === undefined && reading.kind !== 'examChange') return refuse(header, 'AR', [unknownRis(header)], remote);
      const risName = ris?.name ?? '';
      arrow('message-read', header.controlId);
      const receivedAt = deps.now().toISOString();
      const message = { controlId: header.controlId, ris: risName, remote, receivedAt, body: bytes };
      try {
        await archive.receive(message);
      } catch (error) {
        if (!(error instanceof ArchiveUnavailable)) throw error;
        return refuse(header, 'AE', [archiveAway], remote);
      }
      arrow('inbox-committed', header.controlId);
      journal.record({
        name: 'MessageReceived',
        controlId: header.controlId,
        ris: risName,
        remote,
        type: `${header.type}^${header.event}`,
        bytes: bytes.length,
      });
      setImmediate(deps.kept);
      setImmediate(() => arrow('acknowledged', header.controlId));
      return answer(header, { code: 'AA' });
    },
  };
}

function headerOf(reading: Exclude<ReportReading, { readonly kind: 'refused' }>): MessageHeader {
  return reading.kind === 'understood' ? reading.report.message : reading.message;
}
