/** The Prometheus series of the operator: what it counts here, what it last saw in status-metrics.ts. Created at zero. */
import { Counter, Histogram } from 'prom-client';
import { collectProcessMetrics } from '../../common/observability/process-metrics.ts';
import type { StatusDocument } from '../controllers/status-document.ts';
import { resourceTypes } from '../ingress/control-plane/snapshot.ts';
import { handshakeReasons } from './handshake-reason.ts';
import { StatusRegistry } from './status-metrics.ts';

export interface OperatorMetrics {
  readonly registry: StatusRegistry;
  readonly events: Counter<'event'>;
  readonly rounds: Counter<'result'>;
  readonly roundDuration: Histogram;
  readonly nacks: Counter<'type'>;
  readonly handshakes: Counter<'reason'>;
  readonly restarts: Counter<'process'>;
}

const roundSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** @param status what the operator saw last, read at each scrape; undefined before its first round ended */
export function createOperatorMetrics(status: () => StatusDocument | undefined): OperatorMetrics {
  const registry = new StatusRegistry(status);
  collectProcessMetrics(registry);
  const registers = [registry];
  const metrics: OperatorMetrics = {
    registry,
    events: new Counter({
      name: 'drimbox_operator_event_total',
      help: 'Events of the operator, by name; drimbox status --events shows the latest',
      labelNames: ['event'],
      registers,
    }),
    rounds: new Counter({
      name: 'drimbox_operator_reconcile_total',
      help: 'Rounds of the operator: applied a change, found nothing to change, or failed',
      labelNames: ['result'],
      registers,
    }),
    roundDuration: new Histogram({
      name: 'drimbox_operator_reconcile_duration_seconds',
      help: 'Time a round took, failed ones included',
      buckets: roundSeconds,
      registers,
    }),
    nacks: new Counter({
      name: 'drimbox_xds_nack_total',
      help: 'Configurations that the proxy refused, by type of resource',
      labelNames: ['type'],
      registers,
    }),
    handshakes: new Counter({
      name: 'drimbox_handshake_refused_total',
      help: 'Connections at the proxy that never became a session, by reason (E1101 for db FQDNs)',
      labelNames: ['reason'],
      registers,
    }),
    restarts: new Counter({
      name: 'drimbox_process_restarts_total',
      help: 'Times a program ended by itself and was started again',
      labelNames: ['process'],
      registers,
    }),
  };
  for (const result of ['applied', 'unchanged', 'failed']) metrics.rounds.inc({ result }, 0);
  for (const type of resourceTypes) metrics.nacks.inc({ type }, 0);
  for (const reason of handshakeReasons) metrics.handshakes.inc({ reason }, 0);
  return metrics;
}
