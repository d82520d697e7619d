/** Audit records of the source side (ci-sis §12.1–12.3, DB.SO.43, DB.SO.46): plain data, stored as JSON, rendered as ATNA when exported. */
import type { JournalEvent } from './events.ts';

export interface AuditContext {
  /** Struct_IdNat of the site and the internal id of this system: `<structure>/<system>` participants. */
  readonly structureId: string;
  readonly systemId: string;
  readonly host: string;
}

export interface AuditRecord {
  /** DCM code of the event: 110107 Import, 110106 Export. */
  readonly eventId: string;
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  /** 0 success, 4 minor, 8 serious, 12 major failure. */
  readonly outcome: 0 | 4 | 8 | 12;
  readonly outcomeDescription?: string;
  readonly patient?: { readonly matricule: string; readonly oid: string };
  readonly record: Readonly<Record<string, unknown>>;
}

type EventOf<N extends JournalEvent['name']> = Extract<JournalEvent, { readonly name: N }>;

/** CR received (ci-sis §12.1, DB.SO.43). */
export function auditReportReceived(event: EventOf<'ReportUnderstood'>, context: AuditContext): AuditRecord {
  const type =
    event.messageType === 'ORU' ? ['RAD-128', 'Send Imaging Result'] : ['CARD-7', 'Encapsulated Report Submission'];
  return {
    eventId: '110107',
    action: 'C',
    outcome: 0,
    ...(event.patient && { patient: event.patient }),
    record: {
      eventTypeCode: { code: type[0], system: 'IHE Transactions', label: type[1] },
      source: {
        userId: event.accessionNumbers.join(';'),
        userIsRequestor: false,
        roleIdCode: '110153',
        networkAccessPoint: event.remote,
      },
      destination: {
        userId: `${event.structureId}/${context.systemId}`,
        alternativeUserId: event.professionalId,
        roleIdCode: '110152',
        networkAccessPoint: context.host,
      },
      document: { typeCode: 2, role: 20, idTypeCode: 9, objectId: event.documentId, studyInstanceUids: event.studies },
      ris: event.ris,
      controlId: event.controlId,
    },
  };
}

/** KOS published, replaced, removed or refused (ci-sis §12.2, DB.SO.45). */
export function auditKosPublication(
  event: EventOf<'KosPublished' | 'KosRemoved' | 'PublicationFailed'>,
  context: AuditContext,
): AuditRecord {
  const failed = event.name === 'PublicationFailed';
  const action = event.name === 'KosRemoved' ? 'D' : event.name === 'KosPublished' && event.replaced ? 'U' : 'C';
  return {
    eventId: '110106',
    action,
    outcome: failed ? 8 : 0,
    ...(failed && { outcomeDescription: event.code }),
    ...(event.patient && { patient: event.patient }),
    record: {
      source: {
        userId: `${event.structureId}/${context.systemId}`,
        userIsRequestor: true,
        roleIdCode: '110153',
        networkAccessPoint: context.host,
      },
      study: event.study,
      ...(failed ? { detail: event.detail, dmpCode: event.dmpCode } : { kos: event.kos, entryUuid: event.entryUuid }),
    },
  };
}

/** Images asked for by another DRIMbox (ci-sis §12.3, DB.SO.46, DB.SO.47). */
export function auditImageAccess(
  event: EventOf<'RetrieveCompleted' | 'RetrieveRefused' | 'RetrieveAborted'>,
  context: AuditContext,
): AuditRecord {
  const completed = event.name === 'RetrieveCompleted';
  const caller = event.name === 'RetrieveAborted' ? { situation: '', professionalId: '', remote: '' } : event;
  return {
    eventId: '110106',
    action: 'R',
    outcome: completed ? 0 : 8,
    ...(!completed && { outcomeDescription: event.code }),
    record: {
      eventTypeCode: { code: 'RAD-107', system: 'IHE Transactions', label: 'WADO-RS Retrieve' },
      // an introspection that failed leaves the user unknown: `false` (ci-sis §12.3)
      source: {
        userId: caller.situation,
        alternativeUserId: caller.professionalId || 'false',
        userIsRequestor: false,
        roleIdCode: '110153',
        networkAccessPoint: caller.remote,
        peer: event.peer,
      },
      destination: {
        userId: `${completed ? event.structureId : context.structureId}/${context.systemId}`,
        userIsRequestor: false,
        roleIdCode: '110152',
        networkAccessPoint: context.host,
      },
      document: {
        typeCode: 2,
        role: 3,
        idTypeCode: 110_180,
        objectId: event.study,
        series: event.series,
        repositoryUniqueId: completed ? event.retrieveLocationUid : undefined,
      },
      request: event.request,
    },
  };
}
