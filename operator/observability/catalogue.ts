/**
 * What each event of the operator means, in one place: level and sentence of its log line, its series, and how it is told by
 * `drimbox status --events` (architecture decision 10). Log, metric and status can't disagree: nothing else writes them.
 */
import type { LogLevel } from '../../common/observability/log.ts';
import { writeFault } from '../resources/directory/accept.ts';
import type { EventOf, OperatorEvent, OperatorEventName } from './events.ts';
import { handshakeReason } from './handshake-reason.ts';
import type { Telling } from './kept-events.ts';
import type { OperatorMetrics } from './metrics.ts';

export interface Meaning<E extends OperatorEvent> {
  readonly level: LogLevel;
  readonly sentence: string;
  /** Series beside drimbox_operator_event_total, which counts every event. */
  readonly metrics?: (event: E, metrics: OperatorMetrics) => void;
  /** How it is told; absent: logged and counted, not kept. */
  readonly telling?: (event: E) => Telling;
}

export type Catalogue = { readonly [N in OperatorEventName]: Meaning<EventOf<N>> };

const ofTrust = (trustSpace: string): string => `TrustSpace ${trustSpace}`;
const ofLink = (link: string): string => `PacsLink ${link}`;

export const catalogue: Catalogue = {
  ConditionChanged: {
    level: 'info',
    sentence: 'condition changed',
    telling: (e) => ({
      subject: `${e.kind} ${e.key} ${e.type}`,
      reason: e.reason,
      message: `${e.status}, was ${e.former}${e.message === '' ? '' : `: ${e.message}`}`,
    }),
  },
  WhitelistAccepted: {
    level: 'info',
    sentence: 'whitelist accepted',
    telling: (e) => ({
      subject: ofTrust(e.trustSpace),
      reason: 'Verified',
      message: `generated ${e.generatedAt}, ${e.domains} domains`,
    }),
  },
  WhitelistRefused: {
    level: 'error',
    sentence: 'whitelist refused',
    telling: ({ trustSpace, reason, message }) => ({ subject: ofTrust(trustSpace), reason, message }),
  },
  WhitelistUnreachable: {
    level: 'warn',
    sentence: 'whitelist not to be had',
    telling: ({ trustSpace, reason, message }) => ({ subject: ofTrust(trustSpace), reason, message }),
  },
  CrlRefreshed: {
    level: 'info',
    sentence: 'newer CRLs in force',
    telling: (e) => ({ subject: ofTrust(e.trustSpace), reason: 'Fresh', message: `until ${e.nextUpdate}` }),
  },
  CrlRefused: {
    level: 'error',
    sentence: 'CRLs missing or refused',
    telling: ({ trustSpace, reason, message }) => ({ subject: ofTrust(trustSpace), reason, message }),
  },
  CertificateExpiring: {
    level: 'warn',
    sentence: 'a certificate ends soon, or has ended',
    telling: ({ kind, key, reason, message }) => ({ subject: `${kind} ${key}`, reason, message }),
  },
  LinkProgrammed: {
    level: 'info',
    sentence: 'the proxy serves the link',
    telling: ({ link }) => ({ subject: ofLink(link), reason: 'Programmed', message: 'the proxy acknowledged it' }),
  },
  LinkRejected: {
    level: 'error',
    sentence: 'the proxy refuses the link',
    telling: ({ link, reason, message }) => ({ subject: ofLink(link), reason, message }),
  },
  ProxyRefused: {
    level: 'warn',
    sentence: 'the proxy refused a configuration',
    metrics: (e, m) => m.nacks.inc({ type: e.type }),
    telling: ({ type, names, message }) => ({
      subject: 'proxy',
      reason: 'Refused',
      message: `${type} ${names.slice(0, 5).join(', ')}: ${message}`,
    }),
  },
  ProxyNews: { level: 'info', sentence: 'news of the proxy' },
  // E1101, mutual TLS impossible: the only trace of a caller that no gateway ever sees (DB.SO.154; ci-sis §12).
  HandshakeRefused: {
    level: 'warn',
    sentence: 'mutual TLS impossible',
    metrics: (e, m) => m.handshakes.inc({ reason: handshakeReason(e.reason) }),
    telling: (e) => ({
      subject: ofLink(e.link),
      reason: handshakeReason(e.reason),
      message: `${e.code}: ${e.peer} asked for ${e.serverName}: ${e.reason}`,
    }),
  },
  ConnectionRefused: {
    level: 'info',
    sentence: 'connection refused',
    metrics: (e, m) => m.handshakes.inc({ reason: handshakeReason(e.reason) }),
    telling: (e) => ({
      subject: e.link === undefined ? 'proxy' : ofLink(e.link),
      reason: handshakeReason(e.reason),
      message: `${e.peer} asked for '${e.serverName}': ${e.reason}`,
    }),
  },
  ProcessStarted: {
    level: 'info',
    sentence: 'process started',
    metrics: (e, m) => m.restarts.inc({ process: e.process }, 0),
    telling: (e) => ({ subject: e.process, reason: 'Started', message: `process ${e.pid ?? 'unknown'}` }),
  },
  ProcessEnded: {
    level: 'warn',
    sentence: 'process ended, it is started again',
    metrics: (e, m) => m.restarts.inc({ process: e.process }),
    telling: (e) => ({ subject: e.process, reason: 'Ended', message: `${e.what}, started again in ${e.delayMs} ms` }),
  },
  ProcessStopped: {
    level: 'info',
    sentence: 'process stopped',
    // its name may never come again
    metrics: (e, m) => m.restarts.remove({ process: e.process }),
    telling: (e) => ({ subject: e.process, reason: 'Stopped', message: e.what }),
  },
  PlanApplied: {
    level: 'info',
    sentence: 'plan applied',
    telling: (e) => ({ subject: 'operator', reason: 'Applied', message: `${e.sites} sites, ${e.fqdns} FQDNs` }),
  },
  // Every few seconds: news only for who counts.
  RoundEnded: {
    level: 'debug',
    sentence: 'round ended',
    metrics: (e, m) => {
      m.rounds.inc({ result: e.result });
      m.roundDuration.observe(e.seconds);
    },
  },
  RoundFailed: {
    level: 'error',
    sentence: 'round failed, everything stays as it was',
    metrics: (e, m) => {
      m.rounds.inc({ result: 'failed' });
      m.roundDuration.observe(e.seconds);
    },
    telling: (e) => ({ subject: 'operator', reason: 'Failed', message: e.error }),
  },
  FileRefused: {
    level: 'warn',
    sentence: 'a file is not in force',
    telling: (e) => ({ subject: e.resource ?? e.file, reason: e.rule, message: writeFault(e) }),
  },
};
