/** OMI^O23 from the PACS: any ORC-1 is taken, only IPC-3 matters (ci-sis §2.8). */
import { parseUid } from '../../domain.ts';
import { segments } from './message-content.ts';
import type { Hl7Message } from './message.ts';
import type { MessageHeader, ReportReading } from './report.ts';

export function readExamChange(message: Hl7Message, header: MessageHeader): ReportReading {
  const procedures = segments(message, 'IPC');
  const texts = [...new Set(procedures.map((ipc) => ipc.value(3)).filter((text) => text !== ''))];
  const uids = texts.flatMap((text) => parseUid(text) ?? []);
  const [studyInstanceUid, ...otherStudyInstanceUids] = uids;
  if (studyInstanceUid === undefined || uids.length < texts.length) {
    const absent = texts.length === 0;
    return {
      kind: 'refused',
      acknowledgement: 'AE',
      message: header,
      faults: [
        {
          code: absent ? '101' : '102',
          field: 'IPC-3',
          rule: absent ? 'the StudyInstanceUID of the changed exam is missing' : 'IPC-3 is not a DICOM UID',
          advice: 'send the StudyInstanceUID in IPC-3',
          source: 'ci-sis §2.8',
        },
      ],
    };
  }
  const accessionNumber = procedures[0]?.value(1) ?? '';
  return { kind: 'examChange', message: header, studyInstanceUid, otherStudyInstanceUids, accessionNumber };
}
