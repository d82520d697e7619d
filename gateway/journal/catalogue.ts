/**
 * What each event means, in one place (architecture decision 10): level and sentence for the log, metrics, audit record
 * (ci-sis §12), statistics (ci-sis §13). Log, metric, audit and statistic can't disagree: nothing else writes them.
 */
import type { LogLevel } from '../../common/observability/log.ts';
import type { EventName, JournalEvent } from './events.ts';
import type { GatewayMetrics } from './metrics.ts';
import {
  auditImageAccess,
  auditKosPublication,
  auditReportReceived,
  type AuditContext,
  type AuditRecord,
} from './audit.ts';

export interface StatisticRow {
  /** STF01…STF33 */
  readonly statistic: string;
  readonly structureId: string;
  readonly dimension?: string;
  readonly value: number;
}

export interface Meaning<E extends JournalEvent> {
  readonly level: LogLevel;
  readonly sentence: string;
  readonly metrics?: (event: E, metrics: GatewayMetrics) => void;
  readonly audit?: (event: E, context: AuditContext) => AuditRecord;
  readonly statistics?: (event: E, context: AuditContext) => readonly StatisticRow[];
}

type Catalogue = { readonly [N in EventName]: Meaning<Extract<JournalEvent, { readonly name: N }>> };

const one = (statistic: string, structureId: string, dimension?: string): StatisticRow => ({
  statistic,
  structureId,
  value: 1,
  ...(dimension !== undefined && { dimension }),
});

/** E006 and E007 come from the DMP, the others before it (STF04, STF05). */
const fromDmp = (code: string): boolean => code === 'E006' || code === 'E007';

export const catalogue: Catalogue = {
  GatewayStarted: { level: 'info', sentence: 'gateway started' },
  GatewayStopping: { level: 'info', sentence: 'gateway stopping' },
  ConfigLoaded: { level: 'info', sentence: 'configuration in force', metrics: (_, m) => m.configRefused.set(0) },
  ConfigRefused: {
    level: 'error',
    sentence: 'configuration refused, the one in force stays',
    metrics: (_, m) => m.configRefused.set(1),
  },
  ArchiveAway: {
    level: 'error',
    sentence: 'the archive does not answer: messages are refused with AE, images with 503',
    metrics: (_, m) => m.archiveUp.set(0),
  },
  ArchiveBack: { level: 'info', sentence: 'the archive answers again', metrics: (_, m) => m.archiveUp.set(1) },
  DutyTaken: { level: 'info', sentence: 'this gateway publishes', metrics: (_, m) => m.publicationDuty.set(1) },
  DutyLost: {
    level: 'warn',
    sentence: 'this gateway no longer publishes',
    metrics: (_, m) => m.publicationDuty.set(0),
  },
  DutyRefused: {
    level: 'error',
    sentence: 'this gateway can take no part in publishing: its own connection is refused',
  },
  JobOvertaken: { level: 'info', sentence: 'another gateway went on with this job' },
  WhitelistLoaded: {
    level: 'info',
    sentence: 'whitelist verified',
    metrics: (e, m) => {
      m.whitelistDomains.set(e.domains);
      m.whitelistOwnEntry.set(e.ownEntry ? 1 : 0);
    },
  },
  WhitelistRefused: { level: 'error', sentence: 'whitelist refused, the last good one stays' },
  MessageReceived: { level: 'info', sentence: 'message received' },
  MessageRefused: {
    level: 'warn',
    sentence: 'message refused',
    metrics: (_, m) => m.messages.inc({ ris: 'unknown', outcome: 'refused' }),
  },
  ReportUnderstood: {
    level: 'info',
    sentence: 'report understood',
    metrics: (e, m) => m.messages.inc({ ris: e.ris, outcome: 'understood' }),
    audit: auditReportReceived,
    statistics: (e) => [one('STF22', e.structureId)],
  },
  ReportIncomplete: {
    level: 'error',
    sentence: 'report misses mandatory data: no KOS',
    metrics: (e, m) => {
      m.messages.inc({ ris: e.ris, outcome: 'incomplete' });
      m.publications.inc({ outcome: 'failed', code: e.code });
    },
    audit: (e) => ({
      eventId: '110107',
      action: 'C',
      outcome: 8,
      outcomeDescription: e.code,
      record: { controlId: e.controlId, ris: e.ris, missing: e.fields },
    }),
    statistics: (e) => [one('STF23', e.structureId), one('STF04', e.structureId, e.code)],
  },
  ExamChanged: { level: 'info', sentence: 'the PACS says an exam changed' },
  PublicationDecided: { level: 'info', sentence: 'publication decided', metrics: countDecision },
  PublicationWaiting: { level: 'warn', sentence: 'publication waits', statistics: () => [] },
  PublicationFailed: {
    level: 'error',
    sentence: 'publication failed',
    metrics: (e, m) => m.publications.inc({ outcome: 'failed', code: e.code }),
    audit: (e, context) => auditKosPublication(e, context),
    statistics: (e) => [one(fromDmp(e.code) ? 'STF05' : 'STF04', e.structureId, e.code)],
  },
  KosPublished: {
    level: 'info',
    sentence: 'KOS published',
    metrics: (e, m) => m.publications.inc({ outcome: e.replaced ? 'replaced' : 'published', code: '' }),
    audit: (e, context) => auditKosPublication(e, context),
    statistics: (e) => [one(e.replaced ? 'STF02' : 'STF01', e.structureId)],
  },
  KosRemoved: {
    level: 'info',
    sentence: 'KOS removed from the DMP',
    metrics: (_, m) => m.publications.inc({ outcome: 'removed', code: '' }),
    audit: (e, context) => auditKosPublication(e, context),
    statistics: (e) => [one('STF03', e.structureId)],
  },
  PacsQueried: {
    level: 'info',
    sentence: 'PACS queried',
    metrics: (e, m) => m.pacsQueries.inc({ pacs: e.pacs, outcome: 'success' }),
    statistics: (_, context) => [one('STF12', context.structureId)],
  },
  PacsQueryFailed: {
    level: 'error',
    sentence: 'PACS query failed',
    metrics: (e, m) => m.pacsQueries.inc({ pacs: e.pacs, outcome: 'error' }),
    statistics: (_, context) => [one('STF13', context.structureId)],
  },
  PacsEchoed: {
    level: 'debug',
    sentence: 'PACS echoed',
    metrics: (e, m) => m.pacsUp.set({ pacs: e.pacs }, e.up ? 1 : 0),
  },
  RetrieveStarted: { level: 'info', sentence: 'series requested' },
  RetrieveCompleted: {
    level: 'info',
    sentence: 'series sent',
    metrics: (e, m) => {
      m.retrieves.inc({ pacs: e.pacs, outcome: 'success', code: '' });
      m.retrieveInstances.inc({ pacs: e.pacs }, e.instances);
      m.retrieveBytes.inc({ pacs: e.pacs }, e.bytes);
      m.retrieveFirstImage.observe({ pacs: e.pacs }, e.firstImageSeconds);
      m.retrieveDuration.observe({ pacs: e.pacs }, e.seconds);
    },
    audit: (e, context) => auditImageAccess(e, context),
    statistics: (e) => [
      one('STF07', e.structureId),
      ...Object.entries(e.transferSyntaxes).map(([uid, value]) => ({
        statistic: 'STF09',
        structureId: e.structureId,
        dimension: uid,
        value,
      })),
      { statistic: 'STF10', structureId: e.structureId, dimension: e.modality, value: e.instances },
      { statistic: 'STF11', structureId: e.structureId, value: e.bytes },
    ],
  },
  RetrieveRefused: {
    level: 'warn',
    sentence: 'series refused',
    metrics: (e, m) => m.retrieves.inc({ pacs: e.pacs, outcome: 'error', code: e.code }),
    audit: (e, context) => auditImageAccess(e, context),
    statistics: (_, context) => [one('STF08', context.structureId)],
  },
  RetrieveAborted: {
    level: 'error',
    sentence: 'series cut: the client was told by a broken stream',
    metrics: (e, m) => m.retrieves.inc({ pacs: e.pacs, outcome: 'error', code: e.code }),
    audit: (e, context) => auditImageAccess(e, context),
    statistics: (_, context) => [one('STF08', context.structureId)],
  },
  MoveCompleted: {
    level: 'info',
    sentence: 'C-MOVE ended',
    metrics: (e, m) => m.pacsMoves.inc({ pacs: e.pacs, outcome: 'success' }),
    statistics: (e, context) => [
      one('STF14', context.structureId),
      { statistic: 'STF16', structureId: context.structureId, value: e.completed },
    ],
  },
  MoveFailed: {
    level: 'error',
    sentence: 'C-MOVE failed',
    metrics: (e, m) => m.pacsMoves.inc({ pacs: e.pacs, outcome: 'error' }),
    statistics: (_, context) => [one('STF15', context.structureId)],
  },
  ImageReceived: {
    level: 'debug',
    sentence: 'image received',
    metrics: (e, m) => {
      m.imagesReceived.inc({ pacs: e.pacs });
      m.imageBytesReceived.inc({ pacs: e.pacs }, e.bytes);
    },
  },
  StoreRefused: { level: 'warn', sentence: 'C-STORE refused' },
  HandshakeRefused: {
    level: 'warn',
    sentence: 'mutual TLS refused',
    audit: (e) => ({
      eventId: '110106',
      action: 'R',
      outcome: 8,
      outcomeDescription: e.code,
      record: { source: { networkAccessPoint: e.remote }, serverName: e.serverName, detail: e.detail },
    }),
  },
  InternalError: { level: 'error', sentence: 'internal error', metrics: (_, m) => m.internalErrors.inc() },
};

function countDecision(
  event: Extract<JournalEvent, { readonly name: 'PublicationDecided' }>,
  metrics: GatewayMetrics,
): void {
  if (event.decision === 'unchanged' || event.decision === 'declined')
    metrics.publications.inc({ outcome: event.decision, code: '' });
}
