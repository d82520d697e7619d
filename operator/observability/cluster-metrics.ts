/** Series of an operator on a cluster, under the names that dashboards of controller-runtime and client-go know. Created at zero. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ObservedRequest } from '../resources/kubernetes/client.ts';
import type { ReflectorHooks } from '../resources/kubernetes/reflector.ts';
import type { WorkQueueHooks } from '../resources/kubernetes/work-queue.ts';

export interface ClusterReadings {
  readonly queueDepth: () => number;
  readonly oldestWaitSeconds: () => number;
  readonly isLeader: () => boolean;
  readonly lastHeardSeconds: () => number;
  readonly proxies: () => { readonly connected: number; readonly acknowledged: number };
  readonly paused: () => number;
}

export interface ClusterMetrics {
  readonly queue: WorkQueueHooks;
  request(observed: ObservedRequest): void;
  reflector(resource: string): ReflectorHooks;
  written(controller: string, result: 'success' | 'error' | 'requeue', seconds: number): void;
  applied(resource: string, outcome: string): void;
}

/** First word of a key of the writer's queue. */
const controllers = ['site', 'status', 'whitelist', 'document', 'certificate', 'own'] as const;
const name = 'drimbox';
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createClusterMetrics(registry: Registry, read: ClusterReadings): ClusterMetrics {
  const registers = [registry];
  const counter = <L extends string>(metric: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name: metric, help, labelNames, registers });
  const gauge = (
    metric: string,
    help: string,
    value: () => number,
    labels: Readonly<Record<string, string>> = {},
  ): void =>
    void new Gauge({
      name: metric,
      help,
      labelNames: Object.keys(labels),
      registers,
      collect() {
        this.set(labels, value());
      },
    });
  const results = counter('controller_runtime_reconcile_total', 'Keys worked off, by controller and result', [
    'controller',
    'result',
  ]);
  const errors = counter('controller_runtime_reconcile_errors_total', 'Keys that failed and are tried again', [
    'controller',
  ]);
  const times = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Time a key took',
    labelNames: ['controller'],
    buckets: seconds,
    registers,
  });
  const adds = counter('workqueue_adds_total', 'Keys put into the queue', ['name']);
  const retries = counter('workqueue_retries_total', 'Keys put back after a failure', ['name']);
  const waits = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'Time a key waited in the queue',
    labelNames: ['name'],
    buckets: seconds,
    registers,
  });
  const works = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'Time a key was worked on',
    labelNames: ['name'],
    buckets: seconds,
    registers,
  });
  const requests = counter(
    'rest_client_requests_total',
    'Requests to the API server; code 0 when there was no answer',
    ['code', 'method', 'resource'],
  );
  const requestTimes = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time until the last byte of an answer, watches excepted',
    labelNames: ['verb'],
    buckets: seconds,
    registers,
  });
  const relists = counter('drimbox_reflector_relists_total', 'Collections listed again after the first time', [
    'resource',
  ]);
  const restarts = counter('drimbox_reflector_watch_restarts_total', 'Watches begun again', ['resource']);
  const applies = counter('drimbox_resource_apply_total', 'Objects applied, left alone, or refused', [
    'resource',
    'outcome',
  ]);
  gauge('workqueue_depth', 'Keys that wait', read.queueDepth, { name });
  gauge('workqueue_unfinished_work_seconds', 'Age of the key that waits longest', read.oldestWaitSeconds, { name });
  gauge('leader_election_master_status', '1 when this replica leads', () => (read.isLeader() ? 1 : 0), { name });
  gauge(
    'drimbox_reflector_last_heard_seconds',
    'Silence of the watch that was heard of longest ago',
    read.lastHeardSeconds,
  );
  gauge('drimbox_proxies_connected', 'Proxies connected to this replica', () => read.proxies().connected);
  gauge('drimbox_proxies_acknowledged', 'Those that hold all that is published', () => read.proxies().acknowledged);
  gauge('drimbox_resources_paused', 'Sites whose changes are ignored', read.paused);
  for (const controller of controllers) {
    for (const result of ['success', 'error', 'requeue']) results.inc({ controller, result }, 0);
    errors.inc({ controller }, 0);
  }
  adds.inc({ name }, 0);
  retries.inc({ name }, 0);
  return {
    queue: {
      added: () => adds.inc({ name }),
      retried: () => retries.inc({ name }),
      waited: (value) => waits.observe({ name }, value),
      worked: (value) => works.observe({ name }, value),
    },
    request({ verb, resource, status, seconds: took }) {
      requests.inc({ code: String(status), method: verb, resource });
      if (verb !== 'watch') requestTimes.observe({ verb }, took);
    },
    reflector: (resource) => {
      relists.inc({ resource }, 0);
      restarts.inc({ resource }, 0);
      return { relisted: () => relists.inc({ resource }), watchRestarted: () => restarts.inc({ resource }) };
    },
    written(controller, result, took) {
      results.inc({ controller, result });
      if (result === 'error') errors.inc({ controller });
      times.observe({ controller }, took);
    },
    applied: (resource, outcome) => applies.inc({ resource, outcome }),
  };
}
