/** What Prometheus is told of the process itself, the same for both planes. */
import { type Registry, collectDefaultMetrics } from 'prom-client';

/** Gauges named like counters, which `promtool check metrics` refuses; each exists also by type, without the suffix. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** CPU, memory, event loop, garbage collection and handles of this process. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
}
