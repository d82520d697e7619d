/** The gateway's own pages, never exposed: status for the operator, metrics for Prometheus, liveness and readiness. */
import fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { GatewayStatus } from '../../common/contract/gateway-status.ts';

export interface AdminPages {
  readonly status: () => Promise<GatewayStatus>;
  readonly registry: Registry;
  /** Called before metrics are rendered: gauges that are read at scrape time. */
  readonly beforeScrape: () => Promise<void>;
  /** Waiting publications are tried now. */
  readonly hurry: () => Promise<void>;
}

export function createAdminServer(pages: AdminPages): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get('/status', async () => await pages.status());
  server.get('/livez', () => ({ status: 'UP' }));
  server.get('/readyz', async (_request, reply) => {
    const { ready } = await pages.status();
    return await reply.code(ready ? 200 : 503).send({ status: ready ? 'UP' : 'DOWN' });
  });
  server.get('/metrics', async (_request, reply) => {
    await pages.beforeScrape();
    return await reply.type(pages.registry.contentType).send(await pages.registry.metrics());
  });
  server.post('/publications/retry', async (_request, reply) => {
    await pages.hurry();
    return await reply.code(202).send({ status: 'accepted' });
  });
  return server;
}
