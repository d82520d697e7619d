/** What Prometheus is told of the process itself, the same for both planes. */
import { Gauge, type Registry, collectDefaultMetrics } from 'prom-client';
import { watchLoop } from './loop-blocks.ts';

/** Gauges named like counters, which `promtool check metrics` refuses; each exists also by type, without the suffix. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** CPU, memory, event loop, garbage collection and handles of this process. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  const blocks = watchLoop();
  void new Gauge({
    name: 'drimbox_loop_block_seconds',
    help: 'Longest time since the last scrape in which nothing else had its turn: by the clock, and what this thread computed of it',
    labelNames: ['of'],
    registers: [registry],
    collect() {
      const { clockMs, ownMs } = blocks.take();
      this.set({ of: 'clock' }, clockMs / 1000);
      this.set({ of: 'thread' }, ownMs / 1000);
    },
  });
}
